"""File systems of fsspec that Polars does not know: how they are read, listed and written to."""

import atexit
import hashlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config import paths
from polster_runtime.errors import StorageError
from polster_runtime.storage.snapshots import SUFFIX

POLARS_READS = frozenset(
    "s3 s3a gs gcs adl abfs abfss az azure hf http https file local".split()  # noqa: SIM905
)
"""The protocols of the URLs that Polars reads by itself."""
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds before something is asked for again."""
CLAIM_SECONDS = 30.0
"""How long a writer waits for another one that is about to publish the same file."""
_FOOTER_END = 8
"""Bytes at the end of a Parquet file: the length of its footer, and a mark."""
_MARK = b"PAR1"
_MOVING = threading.Lock()
_READING: dict[str, threading.Lock] = {}


class PerThread:
    """A file system whose client must not be shared among threads: each gets one of its own.

    Pass it to a Store in place of the file system, with what makes one:
    `PerThread(lambda: SFTPFileSystem(host, skip_instance_cache=True))`.
    """

    def __init__(self, make: Callable[[], AbstractFileSystem]) -> None:
        self._make = make
        self._own = threading.local()

    def __getattr__(self, name: str) -> Any:
        if not hasattr(self._own, "fs"):
            self._own.fs = self._make()
        return getattr(self._own.fs, name)


def polars_reads(fs: AbstractFileSystem) -> bool:
    """Whether Polars reads the URLs of a file system by itself."""
    protocols = [fs.protocol] if isinstance(fs.protocol, str) else fs.protocol
    return isinstance(fs, LocalFileSystem) or not POLARS_READS.isdisjoint(protocols)


def listed(fs: AbstractFileSystem, folder: str) -> list[str]:
    """The paths in a folder as they are now, whatever the file system remembers."""
    if isinstance(fs, LocalFileSystem) and Path(folder).is_dir():
        return _names(folder)
    try:
        found = _tried_again(
            fs,
            lambda: fs.ls(folder, detail=False, refresh=True),
            FileNotFoundError,
            TypeError,
        )
    except TypeError:  # one that remembers nothing takes no `refresh`
        fs.invalidate_cache()
        found = fs.ls(folder, detail=False)
    return [str(path) for path in found]


def within(fs: AbstractFileSystem, folders: Sequence[str]) -> dict[str, list[str]]:
    """The files in each of some folders of one folder, whatever the file system remembers."""
    found: dict[str, list[str]] = {folder: [] for folder in folders}
    if isinstance(fs, LocalFileSystem):
        for folder in found:
            with suppress(FileNotFoundError, NotADirectoryError):
                found[folder] = _names(folder)
        return found
    fs.invalidate_cache()
    above = folders[0].rpartition("/")[0]
    for path in map(str, _tried_again(fs, lambda: fs.find(above), FileNotFoundError)):
        found.get(path.rpartition("/")[0], []).append(path)
    return found


def _names(folder: str) -> list[str]:
    # There may be 10,000 folders of partitions: no object of pathlib for each.
    return [f"{folder}/{name}" for name in os.listdir(folder)]  # noqa: PTH208


def _tried_again(fs: AbstractFileSystem, call: Callable[[], Any], *final: type[Exception]) -> Any:
    """Call again where a server fails because others write: a file may vanish as it is listed.

    The stores that Polars reads by itself do that on their own. Errors that are `final` are raised
    at once.
    """
    for pause in () if polars_reads(fs) else PAUSES:
        try:
            return call()
        except final:
            raise
        except Exception:
            fs.invalidate_cache()
            time.sleep(pause)
    return call()


def local_copy(fs: AbstractFileSystem, path: str) -> Path:
    """A published file, brought here in pieces: it never changes, so once a process is enough."""
    name = hashlib.sha256(f"{fs.protocol}\0{path}".encode()).hexdigest()[:16]
    copy = paths.staging_dir() / f"{os.getpid()}-read-{name}{SUFFIX}"
    with _READING.setdefault(str(copy), threading.Lock()):
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            part = copy.with_suffix(".part")
            try:
                fs.get_file(path, str(part))
                part.replace(copy)
            finally:
                part.unlink(missing_ok=True)
            atexit.register(copy.unlink, missing_ok=True)
        os.utime(copy)  # what is in use is not swept away
    return copy


def footer(fs: AbstractFileSystem, path: str) -> BytesIO:
    """A Parquet file that has the footer of another, and no rows: only the footer is read."""
    size: int = fs.size(path)
    with fs.open(path, "rb") as file:
        file.seek(max(size - _FOOTER_END, 0))
        end: bytes = file.read(_FOOTER_END)
        length = int.from_bytes(end[:4], "little")
        file.seek(max(size - _FOOTER_END - length, 0))
        content: bytes = file.read(length)
    return BytesIO(_MARK + content + end)


def put_new(fs: AbstractFileSystem, file: Path, path: str) -> None:
    """Let a local file appear whole at a new path, on any file system that has folders.

    It is sent under another name first. A folder that only one writer can make keeps others away
    while it takes its place. Raises FileExistsError, and StorageError when that folder stays.
    """
    folder = path.rpartition("/")[0]
    _tried_again(fs, lambda: fs.makedirs(folder, exist_ok=True))
    part = f"{folder}/.{uuid4().hex}.part"
    try:
        fs.put_file(str(file), part)
        with _MOVING, _claimed(fs, f"{path}.claim"):
            fs.invalidate_cache()
            if fs.exists(path):
                raise FileExistsError(path)
            fs.mv(part, path)
    except BaseException:
        with suppress(Exception):
            fs.rm_file(part)
        raise


@contextmanager
def _claimed(fs: AbstractFileSystem, claim: str) -> Iterator[None]:
    """Hold a folder that nobody else can make meanwhile."""
    end = time.monotonic() + CLAIM_SECONDS
    while True:
        try:
            fs.mkdir(claim, create_parents=False)
            break
        except Exception:
            fs.invalidate_cache()
            if not fs.exists(claim) and time.monotonic() > end:
                raise
            if time.monotonic() > end:
                raise StorageError(
                    f"{claim} was left by a run that ended while it published; delete that folder"
                ) from None
            time.sleep(random.uniform(0.02, 0.1))  # noqa: S311 - not for secrets
    try:
        yield
    finally:
        fs.rmdir(claim)
