"""Copy the data of a project from one store to another.

Every snapshot is copied, the oldest first, and read back once: its checksum must be the same. What
is there already stays, so that an interrupted copy goes on where it was. Nothing is deleted.
"""

import hashlib
from collections.abc import Iterator

from polster_runtime.config import paths
from polster_runtime.config.logging import operation
from polster_runtime.errors import StorageError
from polster_runtime.storage.snapshots import Snapshot, unique_name
from polster_runtime.storage.store import Store

PIECE = 2**22


def files(source: Store) -> Iterator[str]:
    """The files of all snapshots, and of what was rejected, in the order to copy them in."""
    for asset in source.assets():
        for chain in source.chains(asset):
            yield from source.rejected(chain)
            for snapshot in source.snapshots(chain):
                yield from snapshot.paths


def copy(source: Store, target: Store, path: str) -> bool:
    """Copy a file, unless it is there; return whether it was copied. Raises StorageError."""
    there = target.root + path.removeprefix(source.root)
    size = size_of(target, there)
    if size is not None:
        if size != size_of(source, path):
            raise StorageError(f"{there} is there already, and differs from {path}")
        return False
    paths.staging_dir().mkdir(parents=True, exist_ok=True)
    staged = paths.staging_dir() / f"{unique_name()}.copy"
    try:
        with operation("copy", path=path), source.errors():
            source.fs.get_file(path, str(staged))
        with staged.open("rb") as content:
            before = hashlib.file_digest(content, "sha256").hexdigest()
        with target.errors():
            target.put(staged, there)
    finally:
        staged.unlink(missing_ok=True)
    if _checksum(target, there) != before:
        target.delete(Snapshot((there,)))
        raise StorageError(f"{there} was not written as {path} is; it was deleted: copy it again")
    return True


def size_of(data: Store, path: str) -> int | None:
    """Bytes of a file; None when it is not there. Raises StorageError."""
    try:
        with data.errors():
            size: int = data.fs.info(path)["size"]
    except FileNotFoundError:
        return None
    return size


def _checksum(data: Store, path: str) -> str:
    found = hashlib.sha256()
    with data.errors(), data.fs.open(path, "rb") as content:
        while piece := content.read(PIECE):
            found.update(piece)
    return found.hexdigest()
