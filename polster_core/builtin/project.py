"""The skeleton of every project."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import GitignoreLine, NewFile, ProjectContext


@hookimpl
def polster_project_files(context: ProjectContext) -> Iterable[NewFile]:
    """Write the project without any asset."""
    from polster_core.rendering import project_files

    return project_files("polster_core", "templates/project", context)


@hookimpl
def polster_gitignore_lines(context: ProjectContext) -> Iterable[GitignoreLine]:
    """Keep out of git what the scripts of pipelines leave behind."""
    if context.cicd != "none":
        yield GitignoreLine(pattern="reports/")
