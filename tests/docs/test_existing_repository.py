"""The guide for repositories that exist, carried out in those that it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from polster_core.testing.projects import write
from tests.docs.reader import Reader
from tests.generated.test_existing_repositories import DBT, DEFS, UV, git

PAGE = Path(__file__).parents[2] / "docs/guides/existing-repository.md"


@pytest.mark.parametrize(
    ("title", "files"),
    [("In place", DEFS), ("In a package", DBT), ("In a folder of its own", UV)],
)
def test_a_section_holds(title: str, files: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, files)
    git(tmp_path, "init", "--quiet")
    names = {"In place": "jaffle", "In a package": "warehouse"}
    root = tmp_path.rename(tmp_path.with_name(names.get(title, "all")))
    reader = Reader(page=PAGE.read_text(encoding="utf-8"), folder=root)
    reader.read(title)
    assert list(root.rglob("run_polster.py"))
