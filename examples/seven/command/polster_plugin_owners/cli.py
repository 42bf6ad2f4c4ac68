"""`polster owners`."""

from __future__ import annotations

from pathlib import PurePosixPath

import click

from polster_core.cli.access import this_project
from polster_core.types import NewFile


@click.command(help="Write down who owns what.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and stop.")
def owners(*, dry_run: bool) -> None:
    """Read the pipeline, and write one file."""
    project = this_project()
    lines = [
        f"{asset} {asset.description.partition('Owner: ')[2] or '-'}\n"
        for asset in project.pipeline().assets
    ]
    project.change([NewFile(path=PurePosixPath("OWNERS"), text="".join(lines))], dry_run=dry_run)
