"""`polster workspace`: several projects in one Dagster."""

from __future__ import annotations

import os
from pathlib import Path

import click

from polster_core.adoption import locations
from polster_core.cli.execute import carry_out, say_next
from polster_core.environment import venv
from polster_core.errors import UsageProblem
from polster_core.model.names import check_key_prefix
from polster_core.project.listing import columns
from polster_core.project.locate import Project, find_project, is_project

_HELP = "Load several projects in one Dagster: UI, daemon, history."


@click.group("workspace", help=_HELP)
def command() -> None:
    """Do nothing by itself."""


_file = click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The workspace.yaml.  [default: at the top of the repository]",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be written, and stop.")


@command.command("add", help="Add the project in PATH to a workspace.yaml.")
@click.argument("path", default=".")
@click.option("--key-prefix", metavar="NAME", help="What its keys begin with from now on.")
@_file
@_dry_run
def add(*, path: str, key_prefix: str | None, file: Path | None, dry_run: bool) -> None:
    """Plan, show or do."""
    project = _project(path)
    if key_prefix is not None:
        check_key_prefix(key_prefix)
    file = file or locations.named_in(project) or locations.usual_file(project.root)
    renames = key_prefix is not None and key_prefix != project.settings.get("key-prefix", "")
    carry_out(locations.added(file, project, key_prefix), dry_run=dry_run)
    history = project.root / ".dagster" / "history"
    if history.is_dir():
        keys = ", under the keys without it" if renames else ""
        said = f"the runs so far stay there{keys}; the data stays"
        click.echo(f"  keep    {os.path.relpath(history)}: {said}")
    if not dry_run:
        say_next(
            [
                (f"cd {os.path.relpath(project.root)}", ""),
                ("polster run --ui", "open all projects in one page"),
            ]
        )


@command.command("list", help="List the projects of a workspace.yaml.")
@_file
def list_(*, file: Path | None) -> None:
    """Print a table."""
    file = _found(file)
    rows = [("PROJECT", "FOLDER", "KEYS", "STATUS")]
    for one in locations.locations(file):
        folder = os.path.relpath(one.folder, file.parent) if one.folder else ""
        project = Project(one.folder) if one.folder else None
        prefix = str(project.settings.get("key-prefix", "")) if project else ""
        rows.append((one.name, folder, f"{prefix}/" if prefix else "", _status(project)))
    for line in columns(rows):
        click.echo(line)


@command.command("remove", help="Take the project in PATH out of a workspace.yaml.")
@click.argument("path", default=".")
@_file
@_dry_run
def remove(*, path: str, file: Path | None, dry_run: bool) -> None:
    """Plan, show or do."""
    project = _project(path)
    file = file or locations.named_in(project) or locations.usual_file(project.root)
    carry_out(locations.removed(file, project), dry_run=dry_run)


def _project(path: str) -> Project:
    if not is_project(Path(path)):
        raise UsageProblem(f"there is no Polster project in {path}", hint="name a project's folder")
    return find_project(Path(path))


def _found(file: Path | None) -> Path:
    """Return the file that is meant here. Raises UsageProblem where there is none."""
    if file is None:
        here = Path.cwd()
        around = next((one for one in (here, *here.parents) if is_project(one)), None)
        named = locations.named_in(Project(around)) if around else None
        file = named or (locations.usual_file(around) if around else here / locations.NAME)
    if not file.is_file():
        raise UsageProblem(
            f"there is no {os.path.relpath(file)}", hint="make it with  polster workspace add PATH"
        )
    return file


def _status(project: Project | None) -> str:
    if project is None:
        return "no folder is named"
    if not is_project(project.root):
        return "is gone"
    return "ready" if venv.python(project.root).exists() else "no environment: polster setup"
