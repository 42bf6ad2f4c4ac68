"""`polster preview`."""

from __future__ import annotations

import click

from polster_core.cli import completion
from polster_core.cli.working_project import current_project
from polster_core.environment import project_python
from polster_core.project.reader import read_pipeline


@click.command("preview", help="Show the rows of an asset, its columns, or its snapshots.")
@click.argument("asset", shell_complete=completion.assets)
@click.option("--rows", type=click.IntRange(min=0), default=10, show_default=True, help="At most.")
@click.option("--history", is_flag=True, help="List the snapshots that are still there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(*, asset: str, rows: int, history: bool, as_json: bool) -> None:
    """Find the asset, and let the project look at its data."""
    project = current_project()
    name, bracket, partition = asset.partition("[")
    found = read_pipeline(project, core=False).resolve(name)
    flags = [*(["--history"] if history else []), *(["--json"] if as_json else [])]
    arguments = ["preview", f"{found.id}{bracket}{partition}", "--rows", str(rows), *flags]
    code = project_python.run_module(project.root, project_python.RUNTIME, arguments)
    click.get_current_context().exit(code)
