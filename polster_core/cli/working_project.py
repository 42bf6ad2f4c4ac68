"""The project that a command works in: nothing in it is half done, and its writers take turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polster_core.cli import console
from polster_core.errors import ApplyError, BusyProjectError
from polster_core.model.layers import AssetId
from polster_core.plan import workspace
from polster_core.plugins import required
from polster_core.project import manifest
from polster_core.project.locate import Project, find_project

if TYPE_CHECKING:
    from polster_core.plan.recovery import Interrupted, Recovery

_FINISHED = "polster.finished"


def current_project() -> Project:
    """Return the project around us, after what a killed command left half done was undone.

    What cannot be undone from here is a warning: it does not keep anybody from reading.
    """
    project = find_project()
    undo_interrupted(project.root)
    warn_of_missing_plugins(project)
    return project


def warn_of_missing_plugins(project: Project) -> None:
    """Say which of the plugins that the project needs are not installed."""
    if lacking := required.missing(project.settings):
        sentence, hint = required.said(lacking)
        console.warn(f"{sentence}:  {hint}")


def undo_interrupted(root: Path) -> None:
    """Undo what a killed command left half done, unless a command is at work; say what was done."""
    if not workspace.needs_tidying(root):
        return
    from polster_core.plan.lock import turn
    from polster_core.plan.recovery import recover

    try:
        with turn(root, seconds=0):
            _report(recover(root))
    except BusyProjectError:
        return
    except (ApplyError, OSError) as error:
        if not any(True for _ in (*workspace.changes(root), *workspace.finished(root))):
            return
        reason = error.reason if isinstance(error, ApplyError) else f"{error}"
        console.warn(f"a command was killed half-way, and cannot be undone from here: {reason}")


@contextmanager
def writing(project: Project, *, later: bool = False) -> Iterator[None]:
    """Keep other writers out from the first look at the project to the last change of it.

    A command that asks first takes its turn `later`, when it is answered: `apply` sees to that, and
    refuses a plan that is out of date by then. Raises PolsterError for a project that a newer
    Polster wrote: only that one knows what belongs to it.
    """
    manifest.find(project.root)
    if later:
        yield
        return
    from polster_core.plan.lock import turn

    with turn(project.root, waiting=_say_waiting):
        if any(True for _ in (*workspace.changes(project.root), *workspace.finished(project.root))):
            from polster_core.plan.recovery import recover

            _report(recover(project.root))
        yield


def has_finished(command: str, *names: str, in_order: bool = True) -> bool:
    """Whether this very command was killed when everything was done; then that is said, too.

    `names` are those of assets, with or without their layers.
    """
    for done in click.get_current_context().meta.get(_FINISHED, ()):
        verb, *stems = done.split(" ")
        if verb != command or len(stems) != len(names):
            continue
        found = [next((stem for stem in stems if _is_named(name, stem)), "") for name in names]
        if found == stems if in_order else sorted(found) == sorted(stems):
            click.echo("everything was done already by the command that was killed")
            return True
    return False


def _is_named(name: str, stem: str) -> bool:
    asset = AssetId.parse(stem)
    return name == stem or (asset is not None and name == asset.name)


def _say_waiting() -> None:
    click.echo("waiting for another Polster command to finish in this project", err=True)


def _report(found: Recovery) -> None:
    """Say what was undone and what was not; remember what needs no repetition."""
    context = click.get_current_context(silent=True)
    for one in found.interrupted:
        _report_interrupted(one)
        if one.finished and context is not None:
            context.meta.setdefault(_FINISHED, []).append(one.command)
    for path in found.foreign:
        console.warn(
            f"{path} was left by a command of another machine or user, and is not carried out: "
            "delete it if nobody needs it"
        )


def _report_interrupted(one: Interrupted) -> None:
    from datetime import datetime

    when = datetime.fromisoformat(one.started).astimezone()
    command = f"polster {one.command}" if one.command else "a command"
    began = f"{command}, begun {when:%Y-%m-%d %H:%M}, was killed"
    if one.finished:
        console.note(f"{began} after all its changes were made")
        return
    console.warn(f"{began}: its changes were undone", details=one.undone.stays)
    if one.undone.originals:
        console.note(f"what these files were before is in {one.undone.originals}")
