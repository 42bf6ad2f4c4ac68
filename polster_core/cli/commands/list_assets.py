"""`polster list-assets`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from polster_core.cli import completion, console
from polster_core.cli.working_project import current_project
from polster_core.model.layers import Layer
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.model.selection import select
from polster_core.project import listing
from polster_core.project.reader import read_pipeline


@click.command("list-assets", help="List the assets of this project.")
@click.option(
    "--layer", type=click.Choice([str(layer) for layer in Layer]), help="Only this layer."
)
@click.option(
    *("--select", "selection"),
    multiple=True,
    metavar="EXPR",
    shell_complete=completion.selection,
    help="Only these assets.",
)
@click.option("--column", "more", multiple=True, metavar="NAME", help="Show this column, too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for machines.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--response-schema", is_flag=True, help="Print the JSON Schema of --format json.")
def command(
    *,
    layer: str | None,
    selection: tuple[str, ...],
    more: tuple[str, ...],
    form: str,
    as_json: bool,
    response_schema: bool,
) -> None:
    """Read, select, print."""
    if response_schema:
        click.echo(json.dumps(listing.RESPONSE_SCHEMA, indent=2))
        return
    pipeline = read_pipeline(current_project(), core=bool(more))
    assets = [asset for asset in select(pipeline, selection) if layer in {None, asset.layer}]
    cells = _cells(pipeline, assets, more) if more else {}
    others = () if selection or layer else pipeline.others
    if as_json or form == "json":
        click.echo(listing.as_json(assets, cells, others))
    elif assets or others:
        click.echo("\n".join(listing.as_table(assets, cells, others)))
    else:
        say_empty(layer)
    warn_of_faults(pipeline)


def _cells(
    pipeline: Pipeline, assets: Sequence[Asset], names: Sequence[str]
) -> dict[str, list[str]]:
    """Ask plugins for the cells of columns; raises PluginError where one fails."""
    from polster_core.cli.context import plugins_here, warn_of_broken
    from polster_core.plugins.calls import cells
    from polster_core.types import AssetColumn

    plugins = plugins_here()
    chosen = {name: plugins.choose(AssetColumn, name) for name in names}
    warn_of_broken(plugins)
    return {
        name: cells(plugins.owner(AssetColumn, name), column, pipeline, assets)
        for name, column in chosen.items()
    }


def say_empty(layer: str | None) -> None:
    """Say on stderr that there is nothing to show."""
    click.echo(f"there are no {layer} assets" if layer else "there are no assets yet", err=True)
    click.echo("hint: make one with  polster add-asset", err=True)


def warn_of_faults(pipeline: Pipeline) -> None:
    """Say on stderr that some files could not be read, and where to see which."""
    files = len({fault.place.path for fault in pipeline.faults})
    if files:
        what = "1 file" if files == 1 else f"{files} files"
        console.warn(f"{what} could not be read: see  polster validate")
