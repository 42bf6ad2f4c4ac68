"""Undo what a command left half done: only what is still as that command left it.

What somebody has changed since stays as it is and is named. A journal of another machine or another
user is never carried out, and neither is any step that leads out of the project.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from polster_core.errors import ApplyError
from polster_core.plan import workspace
from polster_core.plan.conflicts import folder_leads_out, leads_out, outside
from polster_core.plan.definition import read
from polster_core.plan.journal import DONE, JOURNAL, Journal, Operation, digest, drop_if_empty

_OWN_FILE = re.compile(r"(?:(?:new|old|gone)-\d+)?")


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What became of the steps of one change.

    `stays` has a sentence for each path that somebody has changed since, `failed` one for each that
    could not be undone; `originals` is where the old files are that were not put back.
    """

    stays: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    originals: str = ""


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """A command that was killed, when it had started, and what has been done about it.

    A command that had `finished` was killed while it tidied up.
    """

    command: str
    started: str
    finished: bool = False
    undone: Undone = field(default_factory=Undone)


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What was found: commands that were interrupted, and journals that are not ours."""

    interrupted: tuple[Interrupted, ...] = ()
    foreign: tuple[PurePosixPath, ...] = ()

    def __bool__(self) -> bool:
        """Whether the project is another one than before."""
        return any(not one.finished for one in self.interrupted)


def recover(root: Path) -> Recovery:
    """Undo what killed commands left half done; for who has the turn (`lock.turn`).

    Raises ApplyError if that fails; the journal stays, and the next command tries again.
    """
    interrupted, foreign = [], []
    for folder in workspace.changes(root):
        try:
            journal = None if folder.is_symlink() else Journal.load(root, folder)
            theirs = folder.is_symlink() or not _is_ours(folder, journal)
        except (ValueError, OSError):
            theirs = True
        if theirs:
            foreign.append(PurePosixPath(folder.relative_to(root).as_posix()))
        elif journal is None:  # killed while it was staging
            shutil.rmtree(folder, ignore_errors=True)
        else:
            interrupted.append(_settled(journal))
    for path in workspace.finished(root):
        try:
            journal = None if path.is_symlink() else Journal.load_finished(root, path)
        except (ValueError, OSError):
            journal = None
        if journal is None or not _is_ours(path, journal):
            foreign.append(PurePosixPath(path.relative_to(root).as_posix()))
            continue
        path.unlink()
        interrupted.append(_finished(journal))
    return Recovery(interrupted=tuple(interrupted), foreign=tuple(foreign))


def undo(journal: Journal) -> Undone:
    """Undo in reverse order whatever was done; go on after failures."""
    if not (journal.folder / JOURNAL).exists():
        if not (journal.folder / DONE).exists():  # it did not even begin
            shutil.rmtree(journal.folder, ignore_errors=True)
            return Undone()
        (journal.folder / DONE).rename(journal.folder / JOURNAL)
    stays, failed = [], []
    for operation in reversed(journal.operations):
        try:
            if sentence := _undo(journal, operation):
                stays.append(sentence)
        except OSError as error:
            failed.append(f"{operation.path}: {error.strerror or error}")
    originals = "" if failed else _tidied(journal)
    return Undone(stays=tuple(stays), failed=tuple(failed), originals=originals)


def _is_ours(folder: Path, journal: Journal | None) -> bool:
    """Whether this user of this machine wrote it, and it says nothing that Polster never says."""
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        return False
    if journal is None:
        return True
    return journal.owner == workspace.owner() and all(map(_is_possible, journal.operations))


def _is_possible(operation: Operation) -> bool:
    if not all(isinstance(value, str) for name, value in vars(operation).items() if name != "size"):
        return False
    paths = [operation.path, *([operation.target] if operation.target else [])]
    return (
        operation.do in _UNDO
        and isinstance(operation.size, int)
        and bool(operation.target) == (operation.do in {"move", "remove"})
        and not any(outside(PurePosixPath(path)) for path in paths)
        and bool(_OWN_FILE.fullmatch(operation.staged))
        and bool(_OWN_FILE.fullmatch(operation.kept))
    )


def _settled(journal: Journal) -> Interrupted:
    if not journal.is_half_done:
        journal.tidy()
        return _finished(journal)
    undone = undo(journal)
    if undone.failed:
        raise ApplyError(
            f"{journal.command or 'a command'} was killed, and its changes cannot be undone",
            undone=False,
            details=undone.failed,
            hint=f"the original files are in {journal.folder}",
        )
    return Interrupted(command=journal.command, started=journal.started, undone=undone)


def _finished(journal: Journal) -> Interrupted:
    return Interrupted(command=journal.command, started=journal.started, finished=True)


def _undo(journal: Journal, operation: Operation) -> str:
    """Undo one operation if it was done, judging by what is on disk; return what stays and why."""
    if problem := _leads_out(journal.root, operation):
        return f"{problem}: it stays"
    return _UNDO[operation.do](journal, operation)


def _leads_out(root: Path, operation: Operation) -> str | None:
    path = PurePosixPath(operation.path)
    if operation.do in {"write", "append"}:
        return leads_out(root, path)
    if operation.do == "delete":
        return leads_out(root, path.parent)
    paths = (path, *([PurePosixPath(operation.target)] if operation.target else []))
    return next(filter(None, (folder_leads_out(root, one) for one in paths)), None)


def _unwrite(journal: Journal, operation: Operation) -> str:
    target = (journal.root / operation.path).resolve()
    now = digest(read(target))
    if now == operation.before or (journal.folder / operation.staged).exists():
        if operation.kept:  # it was not written, or is the old one again
            (journal.folder / operation.kept).unlink(missing_ok=True)
        return ""
    if now != operation.after:
        return _changed(operation, deleted=not now)
    if operation.kept:
        (journal.folder / operation.kept).replace(target)
    else:
        target.unlink()
    return ""


def _cut_off(journal: Journal, operation: Operation) -> str:
    """Cut off what was added to a file, or the beginning of that which had got there."""
    path = journal.root / operation.path
    now, added = read(path), read(journal.folder / operation.staged) or b""
    if digest(now) == operation.before:
        return ""
    if now is None or digest(now[: operation.size]) != operation.before:
        return _changed(operation, deleted=now is None)
    if not added.startswith(now[operation.size :]):
        return _changed(operation)
    os.truncate(path, operation.size)
    return ""


def _unmake(journal: Journal, operation: Operation) -> str:
    drop_if_empty(journal.root / operation.path)
    return ""


def _undelete(journal: Journal, operation: Operation) -> str:
    if _put_back(journal.folder / operation.kept, journal.root / operation.path):
        return ""
    return f"{operation.path} is there again: it stays so"


def _move_back(journal: Journal, operation: Operation) -> str:
    if _put_back(journal.root / operation.target, journal.root / operation.path):
        return ""
    return f"{operation.path}/ is there again: it stays so, and {operation.target}/ as well"


def _unremove(journal: Journal, operation: Operation) -> str:
    sentence = _move_back(journal, operation)
    if not sentence:
        shutil.rmtree((journal.root / operation.target).parent, ignore_errors=True)
    return sentence


def _put_back(kept: Path, path: Path) -> bool:
    """Rename what was put away, if it was; return False if somebody has taken its place."""
    if not os.path.lexists(kept):
        return True
    if os.path.lexists(path):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    kept.rename(path)
    return True


def _changed(operation: Operation, *, deleted: bool = False) -> str:
    return f"{operation.path} was {'deleted' if deleted else 'changed'} since: it stays so"


def _tidied(journal: Journal) -> str:
    """Delete the journal; return where the originals are that were not put back, if any."""
    kept = [
        one for one in sorted(journal.folder.iterdir()) if one.name.startswith(("old-", "gone-"))
    ]
    if not kept:
        shutil.rmtree(journal.folder, ignore_errors=True)
        return ""
    originals = journal.folder.with_name(journal.folder.name.replace("change-", "originals-"))
    for operation in journal.operations:
        found = journal.folder / operation.kept if operation.kept else None
        if found in kept:
            target = originals / operation.path
            target.parent.mkdir(parents=True, exist_ok=True)
            found.rename(target)
    shutil.rmtree(journal.folder, ignore_errors=True)
    return originals.relative_to(journal.root).as_posix()


_UNDO: Mapping[str, Callable[[Journal, Operation], str]] = {
    "mkdir": _unmake,
    "write": _unwrite,
    "append": _cut_off,
    "delete": _undelete,
    "move": _move_back,
    "remove": _unremove,
}
