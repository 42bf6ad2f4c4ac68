"""The reading commands import nothing heavy, and nothing of the project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.handmade import shop, write_project

HEAVY = {"dagster", "jinja2", "libcst", "polars", "questionary", "rich", "yaml"}
OURS = {"core", "orchestration", "src"}
CODE = """
import sys
from polster_core.cli.main import dispatch
code = dispatch(sys.argv[1:])
print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)
sys.exit(code)
"""
PIPELINE = {"bronze_a": [], "silver_a": ["bronze_a"], "gold_a": ["silver_a"]}


@pytest.mark.parametrize(
    "args",
    [
        ["list-assets"],
        ["list-assets", "--json", "--select", "+gold_a"],
        ["validate"],
        ["validate", "--format", "sarif"],
        ["validate", "--rules"],
        ["lineage"],
        ["lineage", "--format", "html"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(tmp_path: Path, args: list[str]) -> None:
    files = shop(PIPELINE) | {"src/core/__init__.py": "raise SystemExit('imported')\n"}
    root = write_project(tmp_path, files).root
    done = subprocess.run(
        [sys.executable, "-c", CODE, *args],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert not (HEAVY | OURS) & set(done.stderr.split())
