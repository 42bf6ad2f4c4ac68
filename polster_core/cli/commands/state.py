"""`polster state`."""

from __future__ import annotations

import click

from polster_core.cli import completion
from polster_core.cli.working_project import current_project
from polster_core.environment import project_python


@click.group("state", help="Show or change incremental positions.")
def command() -> None:
    """Do nothing by itself."""


_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")


@command.command("show", help="Show the positions of ASSETS, or of all that have one.")
@click.argument("assets", nargs=-1, shell_complete=completion.assets)
@_as_json
def show(*, assets: tuple[str, ...], as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("show", *assets, as_json=as_json)


@command.command("set", help="Let the next run of ASSET read what comes after POSITION.")
@click.argument("asset", shell_complete=completion.assets)
@click.argument("position")
@_dry_run
@_as_json
def set_position(*, asset: str, position: str, dry_run: bool, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("set", asset, position, dry_run=dry_run, as_json=as_json)


@command.command("reset", help="Let the next run of ASSET read everything; no row is deleted.")
@click.argument("asset", shell_complete=completion.assets)
@_dry_run
@_as_json
def reset(*, asset: str, dry_run: bool, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("reset", asset, dry_run=dry_run, as_json=as_json)


@command.command("accept", help="Keep the rows of incremental ASSET though its code has changed.")
@click.argument("asset", shell_complete=completion.assets)
@_dry_run
@_as_json
def accept(*, asset: str, dry_run: bool, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("accept", asset, dry_run=dry_run, as_json=as_json)


def _hand_on(what: str, *args: str, as_json: bool, dry_run: bool = False) -> None:
    flags = [*(["--dry-run"] if dry_run else []), *(["--json"] if as_json else [])]
    # Behind `--` a position may start with a dash.
    code = project_python.run_module(
        current_project().root, project_python.RUNTIME, ["state", what, *flags, "--", *args]
    )
    click.get_current_context().exit(code)
