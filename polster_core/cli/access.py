"""What a command that a plugin adds may do with a project: read its pipeline, plan, show, write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from polster_core.cli.execute import carry_out
from polster_core.cli.working_project import current_project, writing
from polster_core.errors import PluginError
from polster_core.plan import conflicts
from polster_core.plan.definition import draft
from polster_core.project.locate import Project
from polster_core.project.reader import read_pipeline
from polster_core.types import NewFile, Pipeline


@dataclass(frozen=True)
class ProjectAccess:
    """The project that a command works in."""

    _project: Project

    @property
    def root(self) -> Path:
        """Its folder."""
        return self._project.root

    @property
    def settings(self) -> Mapping[str, Any]:
        """The table `[tool.polster]` of its `pyproject.toml`."""
        return self._project.settings

    def pipeline(self) -> Pipeline:
        """Read its assets; nothing of the project is run."""
        return read_pipeline(self._project)

    def change(
        self,
        files: Iterable[NewFile] = (),
        *,
        deleted: Iterable[PurePosixPath] = (),
        moved: Mapping[PurePosixPath, PurePosixPath] | None = None,
        dry_run: bool = False,
    ) -> None:
        """Write, delete and rename files as one change, and say what was done.

        A generator of `files` is asked when it is this command's turn: other writers wait. With
        `dry_run` the plan and its diff are printed, and nothing is changed. What fails half-way is
        undone at once; what a killed command has done is undone by the next one. Raises PlanError
        with all conflicts, and PluginError for paths that are not a plugin's to write.
        """
        with writing(self._project, later=dry_run):
            wanted, gone, renames = list(files), list(deleted), dict(moved or {})
            paths = [*(file.path for file in wanted), *gone, *renames, *renames.values()]
            if problems := [text for path in paths if (text := conflicts.reserved(path))]:
                raise PluginError(problems[0], hint="nothing was changed", details=problems[1:])
            plan = draft(self.root, wanted, deleted=gone, moved=renames)
            carry_out(plan, dry_run=dry_run)


def this_project() -> ProjectAccess:
    """Return the project around us, after what a killed command left half done was undone.

    Raises PolsterError where there is none.
    """
    return ProjectAccess(current_project())


__all__ = ["ProjectAccess", "this_project"]
