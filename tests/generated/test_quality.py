"""A fresh project passes every check that its owner could run on it."""

from __future__ import annotations

import re

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told


@pytest.fixture(params=[True, False], ids=["samples", "bare"])
def fresh(project: MakeProject, request: pytest.FixtureRequest) -> Generated:
    """Return a project that nobody has touched, with and without samples."""
    return project(samples=request.param)


@pytest.mark.parametrize(
    "command",
    [
        "ruff check --no-cache .",
        "ruff format --no-cache --check .",
        "python -m compileall -q src tests run_polster.py",
        "python -m pytest -q -p no:cacheprovider",
        "dagster definitions validate",
    ],
)
def test_tools_are_green(fresh: Generated, command: str) -> None:
    program, *args = command.split()
    done = fresh.tool(program, *args)
    assert done.returncode == 0, told(done)


def test_types_are_right(fresh: Generated) -> None:
    done = fresh.tool("mypy", "--no-pretty")
    assert done.returncode == 0, told(done)
    assert "no issues found" in done.stdout


def test_dg_knows_the_project(project: MakeProject) -> None:
    shop = project()
    listed = shop.tool("dg", "list", "defs", "--json")
    assert listed.returncode == 0, told(listed)
    for expected in ("run_bronze_example", "run_gold_example", "bronze_daily", "medallion"):
        assert f'"{expected}"' in listed.stdout
    checked = shop.tool("dg", "check", "defs")
    assert checked.returncode == 0, told(checked)
    assert "All definitions loaded successfully." in checked.stdout + checked.stderr


def test_dg_finds_what_is_wrong(project: MakeProject) -> None:
    shop = project()
    shop.add(
        "gold_wrong",
        "def aggregate(example: pl.LazyFrame) -> pl.LazyFrame: ...",
        ["bronze_example"],
    )
    checked = shop.tool("dg", "check", "defs")
    assert checked.returncode == 1, told(checked)
    rule = "gold_wrong depends on bronze_example, but gold assets may depend on silver assets only"
    assert rule in " ".join((checked.stdout + checked.stderr).split())


def test_nothing_imports_polster(fresh: Generated) -> None:
    """All tests of this folder run without Polster; this one looks at what they do not run."""
    assert fresh.python("-c", "import polster_core").returncode == 1
    for file in fresh.root.rglob("*.py"):
        assert not re.search(
            r"^\s*(import|from) +polster(?!_runtime\b)", file.read_text("utf-8"), re.MULTILINE
        )


def test_core_files_can_be_imported_from_the_root_too(project: MakeProject) -> None:
    assert project().program("import_from_root").stdout == "transform True\n"


def test_plain_pytest_imports_core_files_by_both_names(project: MakeProject) -> None:
    test = """
    from core.silver_example import transform as one
    from src.core.silver_example import transform as other


    def test_names() -> None:
        assert one.__name__ == other.__name__ == "transform"
    """
    shop = project(files={"tests/test_names.py": test})
    done = shop.tool("pytest", "-q", "tests/test_names.py", env={"PYTHONPATH": ""})
    assert done.returncode == 0, told(done)


def test_core_never_imports_dagster(project: MakeProject) -> None:
    assert project().program("core_imports", cold=True).stdout == "[]\n"
