"""`polster rename-asset`: plan, say what will be done, do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from polster_core.assets import naming
from polster_core.cli import completion, execute, prompts
from polster_core.cli.execute import show
from polster_core.cli.working_project import current_project, has_finished, writing
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model.layers import AssetId, Layer
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.project.locate import Project
from polster_core.project.reader import read_pipeline

if TYPE_CHECKING:
    from polster_core.assets import rename

_USAGE = "polster rename-asset silver orders clean_orders"


@click.command("rename-asset", help="Rename an asset: files, uses, tests, docs, data, history.")
@click.argument(
    "words", nargs=-1, metavar="[LAYER] ASSET NEW_NAME", shell_complete=completion.assets
)
@click.option("--layer", type=click.Choice([*map(str, Layer)]), help="The asset's layer.")
@click.option("--name", shell_complete=completion.assets, help="The asset.")
@click.option("--new-name", help="What it will be called, without the layer.")
@click.option("--force", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, with its diff, and stop.")
def command(
    *,
    words: tuple[str, ...],
    layer: str | None,
    name: str | None,
    new_name: str | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Find the asset, plan, announce, ask, do."""
    layer, name, new_name = _sorted_out(words, layer, name, new_name)
    project = current_project()
    if name and new_name and has_finished("rename-asset", name, new_name):
        return
    asks = prompts.is_possible() and not (force and name and new_name)
    with writing(project, later=asks or dry_run):
        found, asset = _planned(project, layer, name, new_name)
        if dry_run:
            show(found.plan)
            return
        confirms = not force and prompts.is_possible()
        execute.announce(found.plan, asks=confirms)
        if confirms and not prompts.yes(f"Rename {asset}?"):
            click.echo("nothing was changed")
            return
        execute.do(found.plan)


def _planned(
    project: Project, layer: str | None, name: str | None, new_name: str | None
) -> tuple[rename.Renaming, Asset]:
    """Plan the renaming, asking for what is missing, and warn of what it leaves alone."""
    from polster_core.assets import rename

    pipeline = read_pipeline(project, core=False)
    asset = _asset(pipeline, layer, name)
    new_name = new_name or _ask_name(project, asset)
    typed = AssetId.parse(new_name)
    if typed and typed.layer is asset.layer:
        new_name = typed.name
    found = rename.plan(project, pipeline, asset, new_name)
    execute.warn_of_changes(project)
    execute.warn(found.warnings)
    execute.warn_of_left(found.left, f"{asset} is left alone in")
    return found, asset


def _sorted_out(
    words: tuple[str, ...], layer: str | None, name: str | None, new_name: str | None
) -> tuple[str | None, str | None, str | None]:
    """Return layer, asset and new name, whichever way they were typed; raises UsageProblem."""
    rest = list(words)
    if rest and rest[0] in set(Layer) and (len(rest) > 2 or (name and new_name)):  # noqa: PLR2004
        layer, *rest = rest if layer is None else (layer, *rest)
    for word in rest:
        if name is None:
            name = word
        elif new_name is None:
            new_name = word
        else:
            raise UsageProblem(f"{word} is one word too many", hint=f"for example  {_USAGE}")
    return layer, name, new_name


def _asset(pipeline: Pipeline, layer: str | None, name: str | None) -> Asset:
    if name is not None:
        return pipeline.resolve(name, layer=Layer(layer) if layer else None)
    if not prompts.is_possible():
        raise UsageProblem("missing arguments ASSET and NEW_NAME", hint=f"for example  {_USAGE}")
    offered = [one for one in pipeline.assets if layer in {None, one.layer}]
    if not offered:
        raise PolsterError("there are no assets to rename")
    return pipeline.resolve(prompts.choice("Which asset?", execute.described(offered)))


def _ask_name(project: Project, asset: Asset) -> str:
    if not prompts.is_possible():
        raise UsageProblem("missing option `--new-name`", hint=f"for example  {_USAGE}")
    return prompts.text(
        f"What will {asset} be called?",
        problem=lambda name: naming.problem(project, asset.layer, name),
    )
