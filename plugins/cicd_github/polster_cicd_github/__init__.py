"""Write GitHub Actions workflows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from polster_core.hookspecs import hookimpl
from polster_core.types import CicdGenerator, NewFile, ProjectContext


@hookimpl
def polster_cicd_generators() -> Iterable[CicdGenerator]:
    """Offer `github-actions`."""
    yield CicdGenerator(
        name="github-actions", summary="GitHub Actions", host="github", files=_files
    )


def _files(context: ProjectContext) -> Iterable[NewFile]:
    from polster_core.rendering import project_files, shared_templates
    from polster_core.rendering.context import slug

    for folder in shared_templates(context):
        yield from project_files("polster_core", folder, context)
    for file in project_files("polster_cicd_github", "templates", context):
        if not context.folder or file.path.parts[0] != ".github":
            yield file
        elif "workflows" in file.path.parts:  # GitHub looks for them at the top alone
            name = file.path.name.replace("polster", slug(context), 1)
            yield replace(file, path=file.path.with_name(name), in_repository=True)
