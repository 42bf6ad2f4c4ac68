"""`polster remove-asset`: choose, plan, say what will go, ask, do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from polster_core.cli import completion, execute, prompts
from polster_core.cli.execute import show
from polster_core.cli.working_project import current_project, has_finished, writing
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model.layers import Layer
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.project.locate import Project
from polster_core.project.reader import read_pipeline

if TYPE_CHECKING:
    from polster_core.assets import remove

_MANY = 3
"""From one more than this on, the confirmation has to be typed."""
_WORD, _WORD_FOR_ALL = "CONFIRM", "REMOVE_ALL_ASSETS"


@click.command("remove-asset", help="Remove assets: their files, tests and registrations.")
@click.argument("names", nargs=-1, metavar="[ASSET]...", shell_complete=completion.assets)
@click.option("--layer", type=click.Choice([*map(str, Layer)]), help="The layer of --name.")
@click.option(
    "--name",
    "named",
    multiple=True,
    shell_complete=completion.assets,
    help="An asset; may be repeated.",
)
@click.option("--data", is_flag=True, help="Delete their data as well. It cannot be brought back.")
@click.option("--force", is_flag=True, help="Do not ask, and remove what others depend on as well.")
@click.option("--dry-run", is_flag=True, help="Show what would go, with its diff, and stop.")
def command(
    *,
    names: tuple[str, ...],
    layer: str | None,
    named: tuple[str, ...],
    data: bool,
    force: bool,
    dry_run: bool,
) -> None:
    """Choose the assets, plan, announce, ask, do."""
    project = current_project()
    typed = (*names, *named)
    if typed and has_finished("remove-asset", *typed, in_order=False):
        return
    with writing(project, later=dry_run or not force):
        pipeline = read_pipeline(project, core=False)
        assets = _chosen(pipeline, typed, layer)
        found = _planned(project, pipeline, assets, data=data, force=force)
        if dry_run:
            show(found.plan)
            return
        if not force and not prompts.is_possible():
            raise _needs_force(assets, data=data)
        execute.announce(found.plan, asks=not force)
        if not force and not _confirmed(assets, everything=pipeline.assets, data=data):
            click.echo("nothing was changed")
            return
        execute.do(found.plan)
        for line in found.stays:
            click.echo(line)


def _planned(
    project: Project, pipeline: Pipeline, assets: Sequence[Asset], *, data: bool, force: bool
) -> remove.Removal:
    """Plan the removal, and warn of what it leaves alone."""
    from polster_core.assets import remove

    found = remove.plan(project, pipeline, assets, data=data, force=force)
    execute.warn_of_changes(project)
    execute.warn(found.warnings)
    execute.warn_of_left(found.left, "what is removed is still mentioned in")
    return found


def _chosen(pipeline: Pipeline, names: Sequence[str], layer: str | None) -> list[Asset]:
    """Return the assets that are named or picked, each once, in the order of flow."""
    wanted = Layer(layer) if layer else None
    if not names:
        names = _picked(pipeline, wanted)
    found = {asset.key: asset for asset in (pipeline.resolve(name, layer=wanted) for name in names)}
    return [asset for asset in pipeline.assets if asset.key in found]


def _picked(pipeline: Pipeline, layer: Layer | None) -> Sequence[str]:
    offered = [one for one in pipeline.assets if layer in {None, one.layer}]
    if not prompts.is_possible():
        raise UsageProblem(
            "missing argument ASSET", hint="for example  polster remove-asset silver_orders"
        )
    if not offered:
        raise PolsterError("there are no assets to remove")
    return prompts.several("Which assets are to go? (space selects)", execute.described(offered))


def _needs_force(assets: Sequence[Asset], *, data: bool) -> UsageProblem:
    what = f"{len(assets)} assets" if len(assets) > 1 else str(assets[0])
    lost = f"{what} and the data" if data else what
    return UsageProblem(f"without a terminal, removing {lost} needs --force")


def _confirmed(assets: Sequence[Asset], *, everything: Sequence[Asset], data: bool) -> bool:
    """Ask for a yes, or for a word to be typed where much would be lost."""
    word = _WORD_FOR_ALL if len(assets) == len(everything) else _WORD
    if len(assets) > _MANY or word == _WORD_FOR_ALL:
        question = f"Type {word} to remove {len(assets)} assets:"
        return prompts.text(question) == word
    names = ", ".join(map(str, assets))
    return prompts.yes(f"Remove {names}{' and the data' if data else ''}?", default=False)
