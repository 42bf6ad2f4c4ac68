"""`polster upgrade`: decide, show or do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import click

from polster_core.cli import console
from polster_core.cli.context import plugins_here, warn_of_broken
from polster_core.cli.execute import NOT_CHANGED, show_diff
from polster_core.cli.working_project import current_project, writing
from polster_core.delivery import DELIVERIES, Delivery
from polster_core.environment import git_command
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model.ownership import Owner, owner_of
from polster_core.plan.apply import apply
from polster_core.plan.definition import Plan
from polster_core.project.locate import Project
from polster_core.upgrade.prepare import prepare
from polster_core.upgrade.report import (
    RESPONSE_SCHEMA,
    Upgrade,
    as_json,
    change_lines,
    headline,
    verdict_lines,
)

_NEEDED = 3
"""The exit code of `--check` where there is something to do."""


@click.command("upgrade", help="Bring this project up to the installed Polster and plugins.")
@click.option("--check", is_flag=True, help="Say whether there is anything to do: exit code 3.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and stop.")
@click.option("--json", "as_document", is_flag=True, help="One JSON document on stdout.")
@click.option("--force", is_flag=True, help="Go on although git has uncommitted changes.")
@click.option(
    "--runtime",
    type=click.Choice(DELIVERIES),
    help="Hold the runtime as code from now on, or depend on it.  [default: as it is]",
)
@click.option("--response-schema", is_flag=True, help="Print the JSON Schema of --json.")
def command(
    *,
    check: bool,
    dry_run: bool,
    as_document: bool,
    force: bool,
    runtime: Delivery | None,
    response_schema: bool,
) -> None:
    """Decide, then show it or do it."""
    if response_schema:
        click.echo(json.dumps(RESPONSE_SCHEMA, indent=2))
        return
    if check and dry_run:
        raise UsageProblem("--check and --dry-run cannot be combined")
    project, plugins = current_project(), plugins_here()
    applies = not check and not dry_run
    with writing(project, later=not applies):
        upgrade = prepare(project, plugins, runtime=runtime)
        warn_of_broken(plugins)
        if applies and upgrade.plan:
            _refuse_dirty(project, force=force)
            for step in upgrade.plan.steps:  # first: what is written twice is no edit of the team
                step.run()
            apply(upgrade.plan)
    if as_document:
        click.echo(json.dumps(as_json(upgrade, applied=applies and bool(upgrade.plan)), indent=2))
    else:
        _report(upgrade, dry_run=dry_run, applied=applies)
    if check and upgrade.plan:
        click.get_current_context().exit(_NEEDED)


def _refuse_dirty(project: Project, *, force: bool) -> None:
    """Raise PolsterError where what git does not know yet would be mixed with the upgrade."""
    if git_command.has_uncommitted_changes(project.root):
        if not force:
            raise PolsterError(
                "git has uncommitted changes, which would be mixed with those of the upgrade; "
                "nothing was changed",
                hint="commit or stash them first, or go on all the same with  --force",
            )
        console.warn("git has uncommitted changes: git cannot tell them from the upgrade's")


def _report(upgrade: Upgrade, *, dry_run: bool, applied: bool) -> None:
    click.echo(headline(upgrade))
    if not upgrade.plan:
        click.echo("nothing to do")
        return
    for line in (*verdict_lines(upgrade), *_with_space(change_lines(upgrade))):
        click.echo(line)
    for note in upgrade.notes:
        console.warn(note)
    if dry_run:
        click.echo()
        show_diff(_readable(upgrade.plan))
        click.echo(f"\n{NOT_CHANGED}")
    elif applied:
        _say_next(upgrade)
    else:
        click.echo("\nrun  polster upgrade  (or first  polster upgrade --dry-run)")


def _with_space(lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return ["", *found] if found else []


def _readable(plan: Plan) -> Plan:
    """Leave out what nobody reviews: the runtime, and what Polster notes for itself."""
    return replace(
        plan,
        changes=tuple(
            change
            for change in plan
            if owner_of(change.path) is Owner.SHARED and change.path.parts[0] != ".polster"
        ),
    )


def _say_next(upgrade: Upgrade) -> None:
    click.echo("\nNext:")
    for outcome in upgrade.conflicts:
        where = outcome.beside_path or outcome.replaced_path or outcome.path
        click.echo(f"  compare {outcome.path} with {where}")
    click.echo("  polster setup       install what it needs now")
    click.echo("  polster validate    and run your tests, then commit")
