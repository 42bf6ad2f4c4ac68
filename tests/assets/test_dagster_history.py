"""Where rename-asset and remove-asset find Dagster's history."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.handmade import polster, shop, write_project

RENAME = ("rename-asset", "bronze", "orders", "sales")
FILES = shop({"bronze_orders": ()})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project whose Python tells where it was sent, and fails."""
    root = write_project(tmp_path / "shop", FILES).root
    python = root / ".venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "it is in $DAGSTER_HOME"\nexit 3\n')
    python.chmod(0o755)
    return root


@pytest.mark.parametrize(
    ("shell", "file", "home"),
    [
        ("", "", ".dagster"),
        ("", "DAGSTER_HOME=state/dagster\n", "state/dagster"),
        ("", "DAGSTER_HOME='{root}/else where'\n", "else where"),
        ("{root}/first", "DAGSTER_HOME=second\n", "first"),
        ("", "# DAGSTER_HOME=off\n", ".dagster"),
    ],
)
def test_p8_it_is_where_the_project_has_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, shell: str, file: str, home: str
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    if shell:
        monkeypatch.setenv("DAGSTER_HOME", shell.format(root=root))
    (root / ".env").write_text(file.format(root=root))
    (root / home / "history").mkdir(parents=True)
    done = polster(root, *RENAME)
    assert done.code == 1
    assert f"  it is in {root / home}\n" in done.err


def test_p7_a_postgresql_is_left_as_it_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (root / ".env").write_text("DAGSTER_POSTGRES_URL=postgresql://ann:s3cret@db/dagster\n")
    (root / ".dagster/history").mkdir(parents=True)
    done = polster(root, *RENAME)
    assert done.code == 0, done.err
    assert "warning: Dagster's history is in a shared database, and is left as it is" in done.err
    assert "s3cret" not in done.out + done.err
