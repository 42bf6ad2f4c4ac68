"""Pipelines of Bitbucket."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import CicdGenerator, NewFile, Option, ProjectContext


@hookimpl
def polster_cicd_generators() -> Iterable[CicdGenerator]:
    """Offer `polster init --cicd bitbucket`."""
    yield CicdGenerator(
        name="bitbucket",
        summary="Bitbucket Pipelines",
        options=(Option(name="size", help="Of the runner.", choices=("1x", "2x"), default="1x"),),
        files=_pipeline,
    )


def _pipeline(context: ProjectContext) -> Iterable[NewFile]:
    from polster_core.rendering import project_files

    return project_files("polster_plugin_bitbucket", "templates", context)
