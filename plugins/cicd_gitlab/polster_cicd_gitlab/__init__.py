"""Write a GitLab pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from polster_core.hookspecs import hookimpl
from polster_core.types import CicdGenerator, NewFile, ProjectContext


@hookimpl
def polster_cicd_generators() -> Iterable[CicdGenerator]:
    """Offer `gitlab-ci`."""
    yield CicdGenerator(name="gitlab-ci", summary="GitLab CI", host="gitlab", files=_files)


def _files(context: ProjectContext) -> Iterable[NewFile]:
    from polster_core.rendering import project_files, shared_templates

    for folder in shared_templates(context):
        yield from project_files("polster_core", folder, context)
    yield from project_files("polster_cicd_gitlab", "templates", context)
    if context.folder:  # GitLab looks at the top alone: a job there starts the pipeline
        for file in project_files("polster_cicd_gitlab", "trigger", context):
            yield replace(file, in_repository=True)
