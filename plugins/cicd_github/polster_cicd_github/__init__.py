"""Write GitHub Actions workflows."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import CicdGenerator, NewFile, ProjectContext


@hookimpl
def polster_cicd_generators() -> Iterable[CicdGenerator]:
    """Offer `github-actions`."""
    yield CicdGenerator(
        name="github-actions", summary="GitHub Actions", host="github", files=_files
    )


def _files(context: ProjectContext) -> Iterable[NewFile]:
    from polster_core.rendering import project_files

    yield from project_files("polster_core", "templates/cicd", context)
    yield from project_files("polster_cicd_github", "templates", context)
