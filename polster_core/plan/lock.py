"""Let the writers of a project take turns.

The operating system holds the lock for the process: it is free again when the process has ended,
however it ended. The file that is locked goes with the last writer, so that a command that changes
nothing leaves nothing; that is why it is done here and not with filelock, which leaves its file.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EAGAIN, EDEADLK
from itertools import count
from pathlib import Path

from polster_core.errors import BusyProjectError
from polster_core.plan import workspace

SECONDS = 120.0
"""How long a writer waits for another one; nobody keeps the lock while a question is open."""
_PERIOD = 0.05
_ATTEMPTS = 100
_BUSY = frozenset({EACCES, EAGAIN, EDEADLK})
_held: set[Path] = set()


@contextmanager
def turn(
    root: Path, *, seconds: float = SECONDS, waiting: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Keep all other writers out of a project; within one process, turns may be nested.

    `waiting` is called once if somebody else is writing. Raises BusyProjectError if that takes
    longer than `seconds`, ApplyError and OSError if there can be no lock.
    """
    key = root.resolve()
    if key in _held:
        yield
        return
    file = _first_try(root)
    if file is None:
        waiting()
        file = _wait(root, time.monotonic() + seconds)
    _held.add(key)
    try:
        yield
    finally:
        _held.discard(key)
        _release(root, file)
        workspace.drop_finished(root)


def _wait(root: Path, deadline: float) -> int:
    while (file := _first_try(root)) is None:
        if time.monotonic() >= deadline:
            raise BusyProjectError(
                "another Polster command is still changing this project",
                hint="wait until it has ended, then run the command again",
            )
        time.sleep(_PERIOD)
    return file


def _first_try(root: Path) -> int | None:
    """Return the locked file, or `None` if somebody else has it."""
    path = root / workspace.FOLDER / workspace.LOCK
    while True:
        file = _opened(root, path)
        try:
            if not _lock(file):
                os.close(file)
                return None
            if _is(file, path):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # what we have locked has gone in the meantime


def _opened(root: Path, path: Path) -> int:
    """Open the file; it and its folder may go at any moment, with the writer before us."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    for attempt in count():
        try:
            workspace.prepare(root)
            # It has no content: all who share the project may lock it.
            return os.open(path, flags, 0o666)
        except (FileNotFoundError, FileExistsError):
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable: the loop has no end")


def _release(root: Path, file: int) -> None:
    """Let go of the file, and of the folder if there is nothing else in it."""
    workspace.drop_ignore_file(root)
    path = root / workspace.FOLDER / workspace.LOCK
    if sys.platform == "win32":  # where nobody can delete what others have open
        os.close(file)
        with suppress(OSError):
            path.unlink()
    else:
        with suppress(OSError):
            path.unlink()
        os.close(file)
    workspace.drop_folder(root)


def _is(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: int) -> bool:
    """Lock an open file; False if somebody else has. A disk that knows no locks locks nothing."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _BUSY
    return True
