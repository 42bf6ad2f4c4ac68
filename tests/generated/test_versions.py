"""The lowest versions that a project allows; all other tests run with the newest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.generated.byte_code import lend
from tests.generated.conftest import uv
from tests.generated.projects import Generated, copy, execute, told


@pytest.mark.slow
def test_a_project_runs_with_the_lowest_versions_that_it_allows(
    ran: Generated, tmp_path: Path
) -> None:
    shop = Generated(copy(ran.root, tmp_path / "shop"), tmp_path / "venv/bin/python", cold=True)
    uv("venv", "-q", "-p", sys.executable, str(tmp_path / "venv"))
    lowest = ("--resolution", "lowest-direct", "-r", str(shop.root / "pyproject.toml"))
    uv("pip", "install", "-q", "-p", str(shop.interpreter), *lowest)
    assert lend(ran.interpreter, shop.interpreter) > 0  # where the lowest is the newest
    assert shop.json("--json")["success"]
    assert shop.rows("gold_example") == ran.rows("gold_example")
    doctor = shop.python("-m", "polster_runtime", "doctor")
    assert doctor.returncode == 0, told(doctor)
    assert "dagster 1.13.0" in doctor.stdout
    assert "it has all that the runtime builds on" in doctor.stdout


def test_a_reader_of_the_doctor_may_leave(ran: Generated) -> None:
    command = f"{ran.interpreter} -m polster_runtime doctor | head -1"
    done = execute(["bash", "-c", command], cwd=ran.root, env=ran.variables())
    assert (done.stdout.startswith("ok "), done.stderr) == (True, "")
