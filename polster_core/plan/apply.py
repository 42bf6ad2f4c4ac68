"""Carry out a plan: all of it, or none of it.

A project that does not exist yet is built in a hidden folder beside its place, and renamed into it
in one step. In a project that exists, the new bytes are staged and the old ones kept under
`.polster/.apply-…`, with a journal of what is about to happen: an exception (Ctrl-C too) takes
everything back, and what a killed process left half done is taken back by the next `apply`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NoReturn

from polster_core.errors import ApplyError, PlanStaleError
from polster_core.plan.definition import Kind, Plan, read
from polster_core.plan.journal import (
    STATE,
    Journal,
    abandoned,
    drop_if_empty,
    operations,
    private_name,
    write,
)


def apply(plan: Plan) -> None:
    """Change the files and folders, taking all of it back if anything fails; run no steps.

    Raises PlanStaleError if files changed since the draft, ApplyError if writing failed, and
    passes on KeyboardInterrupt; in each case the project is as it was, or ApplyError says not.
    """
    if recover(plan.root):
        raise PlanStaleError(
            "an earlier command was killed half-way; what it had changed was taken back",
            hint="run the command again",
        )
    if stale := [str(path) for path in _stale(plan)]:
        raise PlanStaleError(
            f"changed since the plan was made: {', '.join(stale)}", hint="run the command again"
        )
    if not plan.folders and not any(True for _ in plan):
        return
    if _can_be_built(plan.root):
        _build(plan)
    else:
        _edit(plan)


def recover(root: Path) -> bool:
    """Take back what killed processes left half done; return whether there was anything.

    Raises ApplyError if that fails.
    """
    found = False
    for left in abandoned(root / STATE, ".apply"):
        journal = Journal.load(root, left)
        found = found or journal.is_half_done
        if problems := journal.finish():
            raise ApplyError(
                "an earlier command was killed, and taking back its changes failed",
                undone=False,
                details=problems,
                hint=f"the originals are in {left}",
            )
    drop_if_empty(root / STATE)
    return found


def _build(plan: Plan) -> None:
    """Write a whole new tree and put it in place with one rename."""
    root = plan.root.resolve()
    for left in abandoned(root.parent, f".{root.name}.polster"):
        shutil.rmtree(left, ignore_errors=True)
    staging = private_name(root.parent, f".{root.name}.polster")
    try:
        staging.mkdir()
        for change in plan:
            target = staging / change.path
            target.parent.mkdir(parents=True, exist_ok=True)
            write(target, change)
        if root.exists():  # an empty folder, whose permissions are the user's choice
            shutil.copymode(root, staging)
            root.rmdir()
            try:
                staging.rename(root)
            except BaseException:
                root.mkdir(exist_ok=True)
                raise
        else:
            staging.rename(root)
    except BaseException as error:  # noqa: BLE001 - which is raised again
        shutil.rmtree(staging, ignore_errors=True)
        _fail(error)


def _edit(plan: Plan) -> None:
    """Change a tree that exists."""
    folder = private_name(plan.root / STATE, ".apply")
    journal = Journal(plan.root, folder, tuple(operations(plan)))
    try:
        journal.stage(plan)
        journal.run()
    except BaseException as error:  # noqa: BLE001 - which is raised again
        _fail(error, journal.take_back())
    journal.finish()


def _stale(plan: Plan) -> Iterator[PurePosixPath]:
    for change in plan:
        if read(plan.root / (change.source or change.path)) != change.before:
            yield change.source or change.path
        elif change.kind is Kind.RENAME and os.path.lexists(plan.root / change.path):
            yield change.path
    for folder in plan.folders:
        if not (plan.root / folder.path).is_dir():
            yield folder.path
        if folder.target is not None and os.path.lexists(plan.root / folder.target):
            yield folder.target


def _fail(error: BaseException, problems: Iterable[str] = ()) -> NoReturn:
    """Raise an interruption as it is, a failed write in words, and worse things first."""
    left = tuple(problems)
    if left:
        raise ApplyError(
            f"{_in_words(error)}, and not everything could be taken back",
            undone=False,
            details=left,
            hint="check these by hand",
        ) from error
    if isinstance(error, OSError):
        raise ApplyError(_in_words(error), undone=True, hint="nothing was changed") from error
    raise error


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"could not write: {where}{error.strerror or error}"
    return "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)


def _can_be_built(root: Path) -> bool:
    """Whether the tree can be put in place as a whole: nothing is there, or an empty folder."""
    if not root.exists():
        return True
    return root.is_dir() and not any(root.iterdir()) and not os.path.ismount(root)
