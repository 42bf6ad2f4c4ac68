"""Which Polster pipelines install, for `polster validate`."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.assets import pyproject
from polster_core.plan.definition import read
from polster_core.project.locate import Project


def unpinned(project: Project, names: Iterable[str]) -> str:
    """Say what pipelines lack to run `polster validate`; "" where they lack nothing."""
    script = project.root / "ci" / "validate.py"
    if not script.exists() or pyproject.installs(read(project.root / pyproject.PATH) or b""):
        return ""
    pages = [f"docs/cicd/{name}.md" for name in names]
    guides = " and ".join(page for page in pages if (project.root / page).exists())
    return (
        "the pipeline leaves `polster validate` out until `install` in [tool.polster] says what to "
        f"install: {guides}"
    )
