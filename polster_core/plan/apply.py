"""Apply a plan: all of it, or none of it.

A project that does not exist yet is built in a hidden folder beside its place, and renamed into it
in one step. In a project that exists, the new bytes are staged and the old ones kept below
`.polster/.apply/`, with a journal of what is about to happen: an exception (Ctrl-C too) undoes
everything, and what a killed process left half done is undone by the next command (`recovery`).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import NoReturn

from polster_core.environment.process import is_alive
from polster_core.errors import ApplyError, PlanStaleError
from polster_core.plan import workspace
from polster_core.plan.definition import Kind, Plan, read
from polster_core.plan.journal import Journal, write
from polster_core.plan.lock import turn
from polster_core.plan.recovery import Undone, recover, undo

_TREE = "tree"


def apply(plan: Plan) -> None:
    """Change the files and folders, undoing all of it if anything fails; run no steps.

    Raises PlanStaleError if files changed since the draft, ApplyError if writing failed, and
    passes on KeyboardInterrupt; in each case the project is as it was, or ApplyError says not.
    """
    with applied(plan):
        pass


@contextmanager
def applied(plan: Plan) -> Iterator[None]:
    """Change the files and folders as `apply` does; what is done inside belongs to the change.

    Whoever is killed inside has done nothing: the next command undoes it all, so that the same
    command can be repeated. An exception inside undoes nothing.
    """
    if not plan.folders and not any(True for _ in plan):
        yield
    elif _can_be_built(plan.root):
        with _built(plan):
            yield
    else:
        with _turn(plan.root):
            journal = _edit(plan)
            try:
                yield
            finally:
                _commit(journal)


@contextmanager
def _turn(root: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(turn(root))
        except OSError as error:
            _fail(error)
        yield


def _edit(plan: Plan) -> Journal:
    """Change a tree that exists; return what says how, for as long as it is not committed."""
    if recover(plan.root):
        raise PlanStaleError(
            "an earlier command was killed half-way; its changes were undone just now",
            hint="run the command again",
        )
    if stale := [str(path) for path in _stale(plan)]:
        raise PlanStaleError(
            f"changed since the plan was made: {', '.join(stale)}", hint="run the command again"
        )
    journal = Journal.of(plan)
    try:
        journal.stage(plan)
        journal.run()
    except BaseException as error:  # noqa: BLE001 - which is raised again
        _fail(error, undo(journal))
    return journal


def _commit(journal: Journal) -> None:
    try:
        journal.commit()
    except BaseException as error:  # noqa: BLE001 - which is raised again
        _fail(error, undo(journal))
    journal.tidy()  # what fails here undoes nothing: the next command goes on with it


@contextmanager
def _built(plan: Plan) -> Iterator[None]:
    """Write a whole new tree and put it in place with one rename.

    The folder in which it was built stays until the end: it says that somebody died in between.
    """
    root = plan.root.resolve()
    tidy_beside(root)
    staging = root.parent / f".{root.name}.polster-{os.getpid()}"
    tree = staging / _TREE
    try:
        staging.mkdir(mode=0o700)
        workspace.ignored(staging)
        for change in plan:
            target = tree / change.path
            target.parent.mkdir(parents=True, exist_ok=True)
            write(target, change)
        if root.exists():  # an empty folder, whose permissions are the user's choice
            shutil.copymode(root, tree)
            root.rmdir()
            try:
                tree.rename(root)
            except BaseException:
                root.mkdir(exist_ok=True)
                raise
        else:
            tree.rename(root)
    except BaseException as error:  # noqa: BLE001 - which is raised again
        shutil.rmtree(staging, ignore_errors=True)
        _fail(error)
    try:
        yield
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def was_built_by_killed(root: Path) -> bool:
    """Whether a process died after it had put a whole new tree there, and before its last step."""
    return any(not (left / _TREE).exists() for left in _abandoned(root.resolve()))


def tidy_beside(root: Path) -> None:
    """Delete what killed processes left beside the place of a new project."""
    for left in _abandoned(root.resolve()):
        shutil.rmtree(left, ignore_errors=True)


def _abandoned(root: Path) -> Iterator[Path]:
    """Yield what killed processes left beside the place of a new project."""
    pattern = re.compile(re.escape(f".{root.name}.polster-") + r"(\d+)")
    try:
        found = sorted(root.parent.iterdir())
    except OSError:
        return
    for path in found:
        owner = pattern.fullmatch(path.name)
        if owner and (int(owner[1]) == os.getpid() or not is_alive(int(owner[1]))):
            yield path


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


def _fail(error: BaseException, undone: Undone | None = None) -> NoReturn:
    """Raise an interruption as it is, a failed write in words, and worse things first."""
    left = (*undone.failed, *undone.stays) if undone else ()
    if left:
        raise ApplyError(
            f"{_in_words(error)}, and not everything could be undone",
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
