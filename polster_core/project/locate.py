"""Find a project, and read what its `pyproject.toml` says about it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from polster_core.errors import PolsterError
from polster_core.model import layout

MANIFEST = Path(".polster/manifest.json")
_TABLE = re.compile(rb"^\s*\[\s*tool\.polster\s*[.\]]", re.MULTILINE)


class NoProjectError(PolsterError):
    """There is no Polster project in the folder or above it."""


@dataclass(frozen=True)
class Project:
    """A project's folder; every other path follows from it."""

    root: Path

    @property
    def core(self) -> Path:
        """Where the pure functions are."""
        return self.root / layout.current().core

    @property
    def assets(self) -> Path:
        """Where the Dagster assets are, one folder a layer."""
        return self.root / layout.current().assets

    @property
    def tests(self) -> Path:
        """Where the tests are."""
        return self.root / layout.current().tests

    @property
    def data(self) -> Path:
        """Where local snapshots are."""
        return self.root / "data"

    @property
    def name(self) -> str:
        """The distribution's name, or else that of the folder."""
        table = self._pyproject.get("project")
        name = table.get("name") if isinstance(table, dict) else None
        return name if isinstance(name, str) else self.root.name

    @property
    def settings(self) -> Mapping[str, Any]:
        """The table `[tool.polster]`; empty where there is none or where it cannot be read."""
        tool = self._pyproject.get("tool")
        table = tool.get("polster") if isinstance(tool, dict) else None
        return table if isinstance(table, dict) else {}

    @cached_property
    def _pyproject(self) -> Mapping[str, Any]:
        try:
            return tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}


def find_project(start: Path | None = None) -> Project:
    """Return the project that `start` (or else the current folder) belongs to.

    A project has `.polster/manifest.json`, or `[tool.polster]` in its `pyproject.toml`. A folder
    reached through a symbolic link counts as being where the link is, as in the shell. From then on
    this process works in its layout.
    Raises NoProjectError.
    """
    folders = [_logical(Path.cwd())] if start is None else [start.absolute()]
    for folder in (*folders, (start or Path.cwd()).resolve()):
        for root in (folder, *folder.parents):
            if is_project(root):
                project = Project(root)
                layout.use(project.settings.get("package"), project.settings.get("key-prefix"))
                return project
    raise NoProjectError(
        f"{folders[0]} is not in a Polster project",
        hint="go to one, or make one with  polster init NAME",
    )


def is_project(folder: Path) -> bool:
    """Whether the folder is the root of a Polster project."""
    if (folder / MANIFEST).is_file():
        return True
    try:
        return _TABLE.search((folder / "pyproject.toml").read_bytes()) is not None
    except OSError:
        return False


def _logical(current: Path) -> Path:
    """Return the current folder as the shell names it, symbolic links kept."""
    named = os.environ.get("PWD", "")
    try:
        if Path(named).is_absolute() and Path(named).samefile(current):
            return Path(named)
    except OSError:
        pass
    return current


def source_files(folder: Path) -> Iterator[Path]:
    """Yield the `.py` files directly in a folder, by name; none where there is not a directory."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".py") and entry.is_file():
            yield Path(entry.path)


def dagster_files(root: Path) -> Iterator[PurePosixPath]:
    """Yield the Python files in which Dagster assets may be defined, by name, folder by folder."""
    for folder, folders, names in os.walk(root / layout.current().assets):
        folders[:] = sorted(name for name in folders if name.isidentifier() and name[0] != "_")
        here = PurePosixPath(Path(folder).relative_to(root).as_posix())
        yield from (here / name for name in sorted(names) if name.endswith(".py"))
    definitions = layout.current().definitions
    if (root / definitions).is_file():
        yield definitions
