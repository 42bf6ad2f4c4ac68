"""A small shop's pipeline to start from: `--sample-assets`."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import NewFile, Option, ProjectContext

_OPTION = "sample-assets"


@hookimpl
def polster_init_options() -> Iterable[Option]:
    """Ask whether the samples are wanted."""
    yield Option(
        name=_OPTION,
        help="Write a small pipeline to start from.",
        question="Write sample assets?",
        default="true",
        flag=True,
    )


@hookimpl
def polster_project_files(context: ProjectContext) -> Iterable[NewFile]:
    """Write the samples and their tests."""
    if context.answers.get(_OPTION) != "true":
        return ()
    from polster_core.rendering import project_files

    return project_files("polster_core", "templates/samples", context)
