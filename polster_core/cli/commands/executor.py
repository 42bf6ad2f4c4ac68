"""`polster executor`."""

from __future__ import annotations

import click

from polster_core.cli.context import plugins_here, warn_of_broken
from polster_core.cli.execute import carry_out, say_next
from polster_core.cli.working_project import current_project, writing
from polster_core.scaffold import storage
from polster_core.types import Executor


@click.group("executor", help="Run the steps of runs on other machines.")
def command() -> None:
    """Do nothing by itself."""


@command.command("add", help="Give this project the executor NAME; runs stay where they are.")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and stop.")
def add(name: str, *, dry_run: bool) -> None:
    """Write what the executor needs, and say what to do next."""
    project, plugins = current_project(), plugins_here()
    plugins.choose(Executor, name)
    with writing(project, later=dry_run):
        planned = storage.plan(project, plugins, name, kind=Executor)
        warn_of_broken(plugins)
        carry_out(planned, dry_run=dry_run)
    if not dry_run:
        say_next(
            [
                ("polster setup", "install what it needs"),
                ("edit .env", f"EXECUTOR={name}, its settings, and DAGSTER_POSTGRES_URL"),
                ("polster doctor", "try it"),
            ]
        )
