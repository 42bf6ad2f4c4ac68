"""A project that depends on its runtime, and one that holds it: the same imports and results."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import machine
from tests.generated.byte_code import lend
from tests.generated.projects import Generated, execute, told

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheels of Polster and of its runtime from this repository."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in (ROOT, ROOT / "runtime"):
        done = machine.python("-m", "build", "--wheel", "--outdir", folder, cwd=source)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, wheels: Path, runtime: Path) -> Path:
    """Make an environment with Polster's wheel and a project that depends on its runtime."""
    folder = tmp_path_factory.mktemp("package")
    _uv("venv", "-q", "--python", sys.executable, folder / "venv")
    python = folder / "venv/bin/python"
    (polster,) = wheels.glob("polster-[0-9]*.whl")
    _uv("pip", "install", "-q", "--python", python, polster)
    made = machine.run(
        [folder / "venv/bin/polster", "init", "shop", "--runtime", "package", "--no-setup"],
        cwd=folder,
        env={"PYTHONPATH": ""},
    )
    assert made.returncode == 0, made.stderr
    found = ("--find-links", wheels)
    _uv("pip", "install", "-q", "--python", python, *found, "-e", f"{folder / 'shop'}[dev]")
    assert lend(runtime, python) > 0
    return folder


def _uv(*args: str | Path) -> None:
    variables = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = execute(
        [sys.executable, "-m", "uv", *map(str, args)], cwd=ROOT, env=variables, seconds=600
    )
    assert done.returncode == 0, told(done)


def _results(shop: Generated) -> list[dict[str, Any]]:
    """Run all, and tell what does not depend on the time."""
    fields = ("key", "status", "rows", "rejected", "error", "deps")
    return [{name: one[name] for name in fields} for one in shop.json("--json")["assets"]]


def test_a_project_that_depends_on_its_runtime_does_the_same(
    environment: Path, ran: Generated
) -> None:
    shop = Generated(environment / "shop", environment / "venv/bin/python", cold=True)
    assert sorted(path.name for path in (shop.root / "src").iterdir() if path.is_dir()) == [
        "core",
        "orchestration",
    ]
    assert _results(shop) == _results(ran)
    for asset in ("bronze_example", "silver_example", "gold_example"):
        assert shop.rows(asset) == ran.rows(asset)
    assert shop.pytest().returncode == 0
    assert shop.tool("ruff", "check", ".").returncode == 0
    doctor = shop.python("-m", "polster_runtime", "doctor")
    assert doctor.returncode == 0, told(doctor)


def test_it_runs_without_polster(environment: Path) -> None:
    python = environment / "venv/bin/python"
    shop = Generated(environment / "shop", python, cold=True)
    before = _results(shop)
    _uv("pip", "uninstall", "-q", "--python", python, "polster")
    assert machine.run([python, "-c", "import polster_core"], cwd=environment).returncode == 1
    assert _results(shop) == before


def test_what_the_runtime_depends_on_is_what_a_project_lists(wheels: Path) -> None:
    import tomllib

    from polster_core.rendering.context import REQUIREMENTS

    runtime = tomllib.loads((ROOT / "runtime/pyproject.toml").read_text(encoding="utf-8"))
    assert sorted(runtime["project"]["dependencies"]) == sorted(REQUIREMENTS)
    assert list(wheels.glob("polster_runtime-*.whl"))
