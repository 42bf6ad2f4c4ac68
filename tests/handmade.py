"""Projects written by hand, from a dict, for tests: made with the kit that plugins' tests use."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from polster_core.cli.main import dispatch
from polster_core.project.locate import Project
from polster_core.testing.projects import (
    PLUMBING,
    PYPROJECT,
    Ran,
    asset_file,
    core_file,
    init_file,
    write,
)
from polster_core.testing.projects import faultless as shop

__all__ = [
    "PLUMBING",
    "PYPROJECT",
    "Ran",
    "asset_file",
    "core_file",
    "init_file",
    "polster",
    "shop",
    "write_project",
]


def write_project(root: Path, files: Mapping[str, str]) -> Project:
    """Write files, unindented, into a new project, and return it."""
    write(root, {"pyproject.toml": PYPROJECT, **files})
    return Project(root)


def polster(root: Path, *args: str) -> Ran:
    """Run one command line in a folder, in this process, with the plugins that are loaded."""
    out, err = StringIO(), StringIO()
    with chdir(root), redirect_stdout(out), redirect_stderr(err):
        code = dispatch(args)
    return Ran(code, out.getvalue(), err.getvalue())
