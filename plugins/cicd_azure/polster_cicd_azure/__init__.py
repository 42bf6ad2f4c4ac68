"""Write an Azure pipeline."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import CicdGenerator, NewFile, ProjectContext


@hookimpl
def polster_cicd_generators() -> Iterable[CicdGenerator]:
    """Offer `azure-devops`."""
    yield CicdGenerator(
        name="azure-devops", summary="Azure DevOps", host="azure-devops", files=_files
    )


def _files(context: ProjectContext) -> Iterable[NewFile]:
    from polster_core.rendering import project_files, shared_templates

    for folder in shared_templates(context):
        yield from project_files("polster_core", folder, context)
    yield from project_files("polster_cicd_azure", "templates", context)
