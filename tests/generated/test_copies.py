"""A project that was copied: it never runs the code of its original, nor touches its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import names
from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, copy, told

WAYS = {
    "run_polster.py": ("run_polster.py",),
    "status": ("run_polster.py", "--status"),
    "from elsewhere": ("../copy/run_polster.py",),
    "one asset": ("src/core/bronze_example.py",),
    "preview": ("-m", "polster_runtime", "preview", "bronze_example"),
    "state": ("-m", "polster_runtime", "state", "reset", "bronze_example"),
}


@pytest.fixture
def original(project: MakeProject) -> Generated:
    return project("original")


@pytest.fixture
def copied(original: Generated) -> Generated:
    """Return a copy that is run with the environment of its original."""
    return Generated(copy(original.root, original.root.with_name("copy")), original.interpreter)


@pytest.mark.parametrize("way", WAYS)
def test_p1_a_copy_is_refused_with_both_folders(
    original: Generated, copied: Generated, way: str
) -> None:
    before = names(original.root), names(copied.root)
    done = copied.python(*WAYS[way], env={"PYTHONPATH": str(original.root / "src")})
    assert done.returncode in {1, 2}, told(done)
    assert f"this project is {copied.root}, but its Python (" in done.stderr, told(done)
    assert f"would run {original.root / 'src/core'}; run  polster setup  here" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (names(original.root), names(copied.root)) == before


def test_p1_dagster_is_refused_and_the_tests_of_a_copy_are_its_own(
    original: Generated, copied: Generated
) -> None:
    theirs = {"PYTHONPATH": str(original.root / "src")}
    done = copied.tool("dagster", "definitions", "validate", env=theirs)
    assert done.returncode == 1
    assert f"SettingsError: this project is {copied.root}" in done.stdout + done.stderr, told(done)
    text = "def test_it():\n    import core\n    assert core.__file__ == %r\n"
    copied.write({"tests/test_own.py": text % str(copied.root / "src/core/__init__.py")})
    done = copied.pytest("tests/test_own.py", env=theirs)
    assert done.returncode == 0, told(done)


def test_p1_a_project_behind_a_link_is_right(original: Generated, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(original.root)
    through = Generated(link, original.interpreter)
    assert original.core("bronze_example").returncode == 0
    done = through.run("--status", env={"PYTHONPATH": str(original.root / "src")})
    assert done.returncode == 0, told(done)
    assert "bronze_example          fresh" in done.stdout
