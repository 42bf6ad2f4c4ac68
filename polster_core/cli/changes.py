"""What the commands that change assets have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import click

from polster_core.apply import apply
from polster_core.assets import uncommitted
from polster_core.cli import failure
from polster_core.cli.carry_out import run_steps
from polster_core.model import Asset, Place
from polster_core.plan import Plan
from polster_core.preview import summary
from polster_core.project import Project

_SHOWN = 10


def announce(plan: Plan, *, asks: bool) -> None:
    """Say what will be done; where nobody is asked, each step says so itself once it is done."""
    for line in summary(plan if asks else replace(plan, steps=())):
        click.echo(line)


def do(plan: Plan) -> None:
    """Carry out a plan that was announced; ends the command with 1 if a step fails."""
    apply(replace(plan, steps=()))
    if not run_steps(plan.steps):
        click.get_current_context().exit(1)


def warn_of_changes(project: Project) -> None:
    """Warn where git has changes that are not committed: there is no way back to them."""
    if uncommitted.changes(project.root):
        failure.warn("git has uncommitted changes: commit first to be able to go back")


def warn(messages: Iterable[str]) -> None:
    """Print one line for each."""
    for message in messages:
        failure.warn(message)


def warn_of_left(places: Sequence[Place], what: str) -> None:
    """List where an asset is mentioned and was left alone."""
    if places:
        shown = ", ".join(_short(place) for place in places[:_SHOWN])
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        failure.warn(f"{what} {shown}{more}: look at it yourself")


def _short(place: Place) -> str:
    return f"{place.path}:{place.line}"


def described(assets: Iterable[Asset]) -> dict[str, str]:
    """Return assets to choose from, by their full names, each with what it is."""
    return {asset.id.stem: asset.description for asset in assets}
