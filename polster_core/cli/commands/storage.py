"""`polster storage`."""

from __future__ import annotations

import click

from polster_core.cli.context import plugins_here, warn_of_broken
from polster_core.cli.execute import carry_out, say_next
from polster_core.cli.working_project import current_project, writing
from polster_core.environment import project_python
from polster_core.scaffold import storage


@click.group("storage", help="Add a backend, move data to another, delete old snapshots.")
def command() -> None:
    """Do nothing by itself."""


_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@command.command("add", help="Give this project the backend NAME; its data stays where it is.")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and stop.")
def add(*, name: str, dry_run: bool) -> None:
    """Write the backend's files, and say what to do next."""
    project, plugins = current_project(), plugins_here()
    with writing(project, later=dry_run):
        planned = storage.plan(project, plugins, name)
        warn_of_broken(plugins)
        carry_out(planned, dry_run=dry_run)
    if not dry_run:
        say_next(
            [
                ("polster setup", "install what it needs"),
                ("edit .env", f"STORAGE_BACKEND={name} and its settings"),
                ("polster doctor", "try it"),
                (f"polster storage copy --from local --to {name}", ""),
            ]
        )


@command.command("copy", help="Copy all snapshots from one backend to another, and verify them.")
@click.option("--from", "source", required=True, metavar="NAME", help="Where they are.")
@click.option("--to", "target", required=True, metavar="NAME", help="Where they shall be as well.")
@click.option("--dry-run", is_flag=True, help="Count what would be copied.")
@_as_json
def copy(*, source: str, target: str, dry_run: bool, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("copy", "--from", source, "--to", target, dry_run=dry_run, as_json=as_json)


@command.command("prune", help="Delete the snapshots that SNAPSHOT_RETENTION does not keep.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted.")
@_as_json
def prune(*, dry_run: bool, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("prune", dry_run=dry_run, as_json=as_json)


def _hand_on(*args: str, dry_run: bool, as_json: bool) -> None:
    flags = [*(["--dry-run"] if dry_run else []), *(["--json"] if as_json else [])]
    arguments = ["storage", *args, *flags]
    code = project_python.run_module(current_project().root, project_python.RUNTIME, arguments)
    click.get_current_context().exit(code)
