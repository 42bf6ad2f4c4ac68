"""`.polster/.apply/`: journals and the lock of the writers; of this machine alone, never committed.

The folder ignores itself (`.gitignore` with `*`), so that neither `git add --all` nor a project
made by an older Polster can take anything of it. A folder of a change in progress is readable by
its owner only. What says that a command has made all its changes (`.polster/.finished-…`, without
any of their texts) goes last, after the folder itself: whoever dies before has left word of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from polster_core.errors import ApplyError

FOLDER = PurePosixPath(".polster/.apply")
LOCK = "lock"
_IGNORE = ".gitignore"
_IGNORE_ALL = b"*\n"
_CHANGE = re.compile(r"change-[0-9a-f]{16}")
_FINISHED = re.compile(r"\.finished-(\d+)-[0-9a-f]{16}\.json")
_own: set[Path] = set()
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def prepare(root: Path) -> Path:
    """Return the folder, made if it was missing.

    Raises ApplyError if a link leads it out of the project, and OSError.
    """
    folder = root / FOLDER
    if not folder.resolve().is_relative_to(root.resolve()):
        raise ApplyError(
            f"{FOLDER} leads out of the project, to {folder.resolve()}",
            undone=True,
            hint="nothing was changed; delete that link",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignored(folder)
    except BaseException:
        drop_folder(root)
        raise
    return folder


def ignored(folder: Path) -> None:
    """Keep a folder that exists, and all that is in it, out of git."""
    path = folder / _IGNORE
    if not path.is_file() or path.read_bytes() != _IGNORE_ALL:
        path.write_bytes(_IGNORE_ALL)


def needs_tidying(root: Path) -> bool:
    """Whether a command is at work, or was killed: in its change, or when it let go of the lock."""
    try:
        names = os.listdir(root / FOLDER)  # noqa: PTH208 - every command does it
    except OSError:
        return any(True for _ in finished(root))
    changing = set(names) <= {_IGNORE, LOCK} or any(map(_CHANGE.fullmatch, names))
    return changing or any(True for _ in finished(root))


def drop_ignore_file(root: Path) -> None:
    """Begin to remove the folder, for who has the lock; not where there is more than that."""
    folder = root / FOLDER
    with suppress(OSError):
        if set(os.listdir(folder)) <= {_IGNORE, LOCK}:  # noqa: PTH208 - names are all that counts
            (folder / _IGNORE).unlink()


def new_finished(root: Path) -> Path:
    """Return where this process leaves word that a change is made."""
    path = root / FOLDER.parent / f".finished-{os.getpid()}-{os.urandom(8).hex()}.json"
    _own.add(path)
    return path


def finished(root: Path) -> Iterator[Path]:
    """Yield the words of processes that died after their change was made."""
    try:
        names = os.listdir(root / FOLDER.parent)  # noqa: PTH208 - every command does it
    except OSError:
        return
    for name in sorted(names):
        found, path = _FINISHED.fullmatch(name), root / FOLDER.parent / name
        if found and path not in _own and not _is_at_work(int(found[1])):
            yield path


def drop_finished(root: Path) -> None:
    """Take our own words back, once there is nothing else left of the changes."""
    words = [path for path in _own if path.parent == root / FOLDER.parent]
    for path in words:
        with suppress(OSError):
            path.unlink()
        _own.discard(path)
    if words and not any((root / FOLDER.parent).iterdir()):
        drop_folder(root)


def _is_at_work(process: int) -> bool:
    """Whether it may be another Polster: in containers each has the same number, ours as well."""
    from polster_core.environment.process import is_alive

    return process != os.getpid() and is_alive(process)


def drop_folder(root: Path) -> None:
    """Remove the folder, and the one that it is in, as far as there is nothing in them."""
    for folder in (root / FOLDER, root / FOLDER.parent):
        with suppress(OSError):
            folder.rmdir()


def new_change(root: Path) -> Path:
    """Return the path of a new folder for one change."""
    return root / FOLDER / f"change-{os.urandom(8).hex()}"


def changes(root: Path) -> Iterator[Path]:
    """Yield the folders of changes that are in progress, or were interrupted; one look at disk."""
    try:
        names = os.listdir(root / FOLDER)  # noqa: PTH208 - every command does it
    except OSError:
        return
    yield from (root / FOLDER / name for name in sorted(names) if _CHANGE.fullmatch(name))


def owner() -> str:
    """Return what tells this user of this machine from all others, without naming either."""
    import hashlib

    user = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return hashlib.sha256(f"polster\0{_machine()}\0{user}".encode()).hexdigest()


def _machine() -> str:
    for path in _MACHINE_IDS:
        try:
            if found := path.read_text(encoding="ascii").strip():
                return found
        except (OSError, ValueError):
            continue
    import platform
    import uuid

    return f"{platform.node()} {uuid.getnode():x}"
