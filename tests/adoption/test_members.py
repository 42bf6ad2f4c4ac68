"""A project below the root of a uv workspace is listed there, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from polster_core.adoption.members import lacking
from polster_core.errors import PolsterError


def workspace(root: Path, table: str) -> Path:
    text = f"# ours\n[tool.uv.workspace]\n{table}\n[tool.black]\n"
    (root / "pyproject.toml").write_text(text)
    return root / "packages" / "lake"


def test_a_member_is_added_and_all_else_stays(tmp_path: Path) -> None:
    found = lacking(workspace(tmp_path, 'members = ["apps/*"]  # all'))
    assert found is not None
    assert found.write() == "packages/lake is a member of the uv workspace"
    assert (tmp_path / "pyproject.toml").read_text() == (
        '# ours\n[tool.uv.workspace]\nmembers = ["apps/*", "packages/lake"]  # all\n[tool.black]\n'
    )
    assert lacking(tmp_path / "packages" / "lake") is None
    with pytest.raises(PolsterError, match="was changed by somebody else"):
        found.write()
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


@pytest.mark.parametrize(
    "table", ['members = ["packages/*"]', 'members = []\nexclude = ["packages/lake"]']
)
def test_who_is_listed_or_excluded_is_left_alone(table: str, tmp_path: Path) -> None:
    assert lacking(workspace(tmp_path, table)) is None


def test_a_repository_is_where_the_search_ends(tmp_path: Path) -> None:
    root = workspace(tmp_path, "members = []")
    (root.parent / ".git").mkdir(parents=True)
    assert lacking(root) is None
