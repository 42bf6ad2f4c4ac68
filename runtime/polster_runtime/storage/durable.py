"""Publish files on a local disk so that they survive a loss of power, and never replace another.

What is published has reached the disk, with its name. A hard link makes the name, since that alone
fails where the name is taken. exFAT and the like have no links: there a lock is held instead while
the file is moved. A file that was staged on another disk is copied beside its place first.
"""

import errno
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from polster_runtime.config.interruption import stop_if_interrupted

NO_LINKS = {
    errno.EPERM,
    errno.EACCES,
    errno.EMLINK,
    errno.ENOSYS,
    errno.EINVAL,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
}
"""How a file system says that it has no hard links."""
LOCK = ".publish.lock"
PART = ".part"
ABANDONED = 86_400.0
"""Seconds after which a copy that nobody finished is deleted."""


def publish(file: Path, path: Path) -> None:
    """Let a local file appear at a new path, whole. The file itself may stay or go.

    Raises FileExistsError when the path is taken, OSError, and Interrupted.
    """
    made = _make_folder(path.parent)
    sync(file)
    stop_if_interrupted()
    try:
        _move(file, path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_from_another_disk(file, path)
    for folder in (path.parent, *made):
        sync_folder(folder)


def sync(file: Path) -> None:
    """Wait until the content of a file is on the disk."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can be asked to."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot; they keep names in order
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the parents whose names for them are new."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
    return [each.parent for each in missing]


def _move(file: Path, path: Path) -> None:
    if os.name == "nt":  # where a rename never replaces a file
        file.rename(path)
        return
    try:
        os.link(file, path)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        _move_under_lock(file, path)


def _move_under_lock(file: Path, path: Path) -> None:
    with FileLock(path.with_name(LOCK)):
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        file.rename(path)


def _move_from_another_disk(file: Path, path: Path) -> None:
    for old in path.parent.glob(f".*{PART}"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > ABANDONED:
                old.unlink()
    copy = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        shutil.copyfile(file, copy)
        sync(copy)
        _move(copy, path)
    finally:
        copy.unlink(missing_ok=True)
