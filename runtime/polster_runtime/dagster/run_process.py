"""The process of a run: whether it lives, and which one it is.

A process that carries out a run holds a lock in .dagster/running as long as it lives; one that is
killed lets go of it. Beside the lock stands the number of the process.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from polster_runtime.config.paths import dagster_home


@contextmanager
def held(run_id: str) -> Iterator[None]:
    """Hold the lock of a run in the block."""
    lock = FileLock(_lock(run_id))
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except (OSError, Timeout):  # it cannot be; or this process holds it already
        yield
        return
    number = _number(run_id)
    try:
        with suppress(OSError):
            number.write_text(f"{os.getpid()} {platform.node()}", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            number.unlink(missing_ok=True)
        lock.release()
        with suppress(OSError):
            _lock(run_id).unlink()


def lives(run_id: str) -> bool | None:
    """Whether the process of a run lives; None when it has ended by itself, or held no lock."""
    if not _lock(run_id).exists():
        return None
    try:
        with FileLock(_lock(run_id), blocking=False):
            return False
    except Timeout:
        return True


def number_of(run_id: str) -> int | None:
    """The number of the living process of a run, if it is one of this machine."""
    if not lives(run_id):
        return None
    try:
        number, _, machine = _number(run_id).read_text("utf-8").partition(" ")
    except OSError:
        return None
    return int(number) if machine == platform.node() else None


@contextmanager
def killed(run_id: str) -> Iterator[bool]:
    """Whether the process of a run was killed; no other process settles that during the block."""
    lock = FileLock(_lock(run_id))
    try:
        lock.acquire(blocking=False)
    except (OSError, Timeout):  # it is alive, or another process settles it
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
    for file in (_number(run_id), _lock(run_id)):
        with suppress(OSError):
            file.unlink()


def known() -> Iterator[str]:
    """The runs that hold a lock, or did when their process was killed."""
    for file in _folder().glob("*"):
        if not file.suffix:
            yield file.name


def _lock(run_id: str) -> Path:
    return _folder() / run_id


def _number(run_id: str) -> Path:
    return _folder() / f"{run_id}.pid"


def _folder() -> Path:
    return dagster_home() / "running"
