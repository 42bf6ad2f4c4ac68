"""The other Pythons that Polster promises: from its wheel to a project that outlives it.

All else is tried with the Python that runs the tests.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import pythons
from tests.generated.conftest import uv
from tests.generated.projects import execute, only_one, told
from tests.generated.warm import Done

ROOT = Path(__file__).parents[2]
OTHERS = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
"""Variables that would let one Python find what belongs to another, or start slowly."""
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def wheel(shared: Path) -> Path:
    """Return Polster's wheel, built from this repository once for a test run."""
    folder = shared / "wheel"
    with only_one(shared / "wheel.lock"):
        if not folder.exists():
            built = shared / "wheel.new"
            uv("build", "-q", "--wheel", "--no-build-isolation", "-p", sys.executable,
               "--out-dir", str(built), str(ROOT))  # fmt: skip
            built.rename(folder)
    (found,) = folder.glob("polster-*.whl")
    return found


def table(shown: str) -> str:
    """Return the table of gold's rows that a run prints."""
    return shown.partition("gold_example")[2].partition("┌")[2].rpartition("┘")[0]


@pytest.mark.slow
@pytest.mark.parametrize("version", [each for each in pythons.VERSIONS if each != RUNNING])
def test_a_project_is_made_runs_passes_its_tests_and_outlives_polster(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    clean = {name: text for name, text in os.environ.items() if name not in OTHERS}
    venv, root = tmp_path / "venv", tmp_path / "shop"

    def run(*command: str | Path, cwd: Path = tmp_path) -> Done:
        done = execute(command, cwd=cwd, env=clean)
        assert done.returncode == 0, told(done)
        return done

    base = pythons.find(version)
    assert base, f"there is no Python {version}: python -m tests.prepare installs it"
    run("uv", "venv", "-q", "-p", base, venv)
    run("uv", "pip", "install", "-q", "-p", venv, wheel)
    made = run(venv / "bin/polster", "init", "shop", "--no-git", "--run")
    gold = table(made.stdout)
    assert "│" in gold, told(made)
    own = root / ".venv/bin/python"
    assert run(own, "--version").stdout.startswith(f"Python {version}.")

    assert " passed" in run(own, "-m", "pytest", "-q", cwd=root).stdout
    run(own, "-m", "ruff", "check", cwd=root)
    run(own, "-m", "ruff", "format", "--check", cwd=root)

    run("uv", "pip", "uninstall", "-q", "-p", venv, "polster")
    assert not (venv / "bin/polster").exists()
    missing = execute([venv / "bin/python", "-c", "import polster_core"], cwd=root, env=clean)
    assert "No module named 'polster_core'" in missing.stderr
    again = run(own, "run_polster.py", cwd=root)
    assert table(again.stdout) == gold
    assert len(list((root / "data/gold/example").glob("*.parquet"))) == 2
