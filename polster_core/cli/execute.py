"""What every command that writes does with its plan: show it or apply it, then say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import click

from polster_core.cli import console
from polster_core.environment import git_command
from polster_core.environment.process import InterruptedProgramError
from polster_core.errors import PolsterError
from polster_core.model.facts import Place
from polster_core.model.pipeline import Asset
from polster_core.plan.apply import applied
from polster_core.plan.definition import Plan, Step, is_private
from polster_core.plan.journal import is_open_to_others
from polster_core.plan.render import diff, overview, summary, table, visible
from polster_core.project.locate import Project

NOTHING = "nothing to change"
NOT_CHANGED = "nothing was changed (--dry-run)"
_SHOWN = 10
_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def carry_out(plan: Plan, *, dry_run: bool = False, prefix: str = "") -> None:
    """Write the plan's files, say what was done, and go through its steps.

    With `dry_run` the plan and its diff are printed and nothing is changed. Ends the command with
    exit code 1 if a step failed; the files stay. `prefix` is put before every path that is shown.
    """
    if dry_run:
        show(visible(plan), prefix=prefix)
        return
    with noting_closed(plan), applied(plan):
        written = replace(visible(plan), steps=())
        nothing = [] if plan else [NOTHING]
        for line in [*summary(written, prefix=prefix), *nothing]:
            click.echo(line)
        done = run_steps(plan.steps)
    if not done:
        click.get_current_context().exit(1)


def show(plan: Plan, *, prefix: str = "") -> None:
    """Print the plan and its diff, and that nothing was changed."""
    for line in summary(plan, prefix=prefix):
        click.echo(line)
    click.echo()
    show_diff(plan)
    click.echo(f"\n{NOT_CHANGED}")


def show_summary(plan: Plan, *, prefix: str = "", verbose: bool = False) -> None:
    """Print what a plan for a project would make, and the diff of what is there already.

    With `verbose`, the texts of all new files as well.
    """
    for line in overview(plan, prefix=prefix):
        click.echo(line)
    present = [change for change in plan if change.before is not None]
    if verbose or present:
        click.echo()
        show_diff(plan if verbose else replace(plan, changes=tuple(present)))
    click.echo(f"\n{NOT_CHANGED}")


def show_diff(plan: Plan) -> None:
    """Print what changes in the files, coloured where colours are shown."""
    for line in diff(plan):
        click.echo(click.style(line, fg=_COLORS.get(line[:1])))


def run_steps(steps: Sequence[Step]) -> bool:
    """Run each step and say what it did; a failure is reported and does not stop the others.

    Ctrl-C does, as an InterruptedProgramError that says what was not done.
    """
    good = True
    for number, step in enumerate(steps):
        try:
            done = step.run()
        except InterruptedProgramError as error:
            left = [f"not done: {' '.join(filter(None, s.row(s.summary)))}" for s in steps[number:]]
            raise InterruptedProgramError(error.reason, hint=error.hint, details=left) from error
        except PolsterError as error:
            console.report(error)
            good = False
        else:
            say(step.row(done))
    return good


def say(*rows: tuple[str, str, str]) -> None:
    """Print rows of a verb, its object and a note, aligned."""
    for line in table(rows):
        click.echo(line)


def announce(plan: Plan, *, asks: bool) -> None:
    """Say what will be done; where nobody is asked, each step says so itself once it is done."""
    for line in summary(plan if asks else replace(plan, steps=())):
        click.echo(line)


def do(plan: Plan) -> None:
    """Carry out a plan that was announced; ends the command with 1 if a step fails."""
    with noting_closed(plan), applied(plan):
        done = run_steps(plan.steps)
    if not done:
        click.get_current_context().exit(1)


@contextmanager
def noting_closed(plan: Plan) -> Iterator[None]:
    """Say which files of secrets others could read until they were changed."""
    private = [plan.root / change.path for change in plan if is_private(change.path)]
    opened = [path for path in private if path.exists() and is_open_to_others(path)]
    yield
    for path in opened:
        if path.exists() and not is_open_to_others(path):
            console.note(f"{path.name} could be read by others: now by its owner only")


def warn_of_changes(project: Project) -> None:
    """Warn where git has changes that are not committed: there is no way back to them."""
    if git_command.has_uncommitted_changes(project.root):
        console.warn("git has uncommitted changes: commit first to be able to go back")


def warn(messages: Iterable[str]) -> None:
    """Print one line for each."""
    for message in messages:
        console.warn(message)


def warn_of_left(places: Sequence[Place], what: str) -> None:
    """List where an asset is mentioned and was left alone."""
    if places:
        shown = ", ".join(_short(place) for place in places[:_SHOWN])
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        console.warn(f"{what} {shown}{more}: look at it yourself")


def _short(place: Place) -> str:
    return f"{place.path}:{place.line}"


def described(assets: Iterable[Asset]) -> dict[str, str]:
    """Return assets to choose from, by their full names, each with what it is."""
    return {asset.id.stem: asset.description for asset in assets}


def say_next(steps: Iterable[tuple[str, str]], *, heading: str = "Next:") -> None:
    """Print what to do next: each command with a reason, aligned; nothing without any."""
    rows = list(steps)
    if not rows:
        return
    width = max(len(command) for command, _ in rows)
    click.echo(f"\n{heading}")
    for command, reason in rows:
        click.echo(f"  {command:<{width}}   {reason}".rstrip())
