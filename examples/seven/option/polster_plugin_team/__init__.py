"""An option of `polster init`: the team that a project belongs to, in all that it is named in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from polster_core.hookspecs import hookimpl
from polster_core.types import GitignoreLine, GuideSection, NewFile, Option, ProjectContext


@hookimpl
def polster_init_options() -> Iterable[Option]:
    """Add `polster init --team`."""
    yield Option(name="team", help="Who owns the project.", choices=("sales", "logistics"))


@hookimpl
def polster_project_files(context: ProjectContext) -> Iterable[NewFile]:
    """Write the answer down where code review reads it."""
    if team := context.answers.get("team"):
        yield NewFile(path=PurePosixPath("CODEOWNERS"), text=f"* @{team}\n")


@hookimpl
def polster_gitignore_lines(context: ProjectContext) -> Iterable[GitignoreLine]:
    """Keep out of git what the tools of the team leave behind."""
    if "team" in context.answers:
        yield GitignoreLine(pattern="*.qvd")


@hookimpl
def polster_guide_sections(context: ProjectContext) -> Iterable[GuideSection]:
    """Say in the guide whom to ask."""
    if team := context.answers.get("team"):
        guide = PurePosixPath("docs/running.md")
        yield GuideSection(guide=guide, title="Whom to ask", text=f"The team {team}.")
