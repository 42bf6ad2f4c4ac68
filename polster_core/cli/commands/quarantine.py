"""`polster quarantine`."""

from __future__ import annotations

import click

from polster_core.cli import completion
from polster_core.cli.working_project import current_project
from polster_core.environment import project_python


@click.group("quarantine", help="Show the rows that broke a contract, and run them again.")
def command() -> None:
    """Do nothing by itself."""


_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
_asset = click.argument("asset", shell_complete=completion.assets)


@command.command("list", help="List what the last run of each asset rejected.")
@_as_json
def list_batches(*, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("list", as_json=as_json)


@command.command("show", help="Show the rejected rows of ASSET and the rules that they broke.")
@_asset
@click.option("--rows", type=click.IntRange(min=1), default=20, show_default=True, help="At most.")
@_as_json
def show(*, asset: str, rows: int, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("show", asset, "--rows", str(rows), as_json=as_json)


@command.command(
    "replay",
    help="Run them again through today's code and contract; what passes is published.",
    short_help="Run them again through today's code and contract.",
)
@_asset
@_as_json
def replay(*, asset: str, as_json: bool) -> None:
    """Hand it on to the project."""
    _hand_on("replay", asset, as_json=as_json)


def _hand_on(*args: str, as_json: bool) -> None:
    arguments = ["quarantine", *args, *(["--json"] if as_json else [])]
    code = project_python.run_module(current_project().root, project_python.RUNTIME, arguments)
    click.get_current_context().exit(code)
