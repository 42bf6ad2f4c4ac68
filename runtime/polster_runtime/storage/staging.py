"""Local files that are written before they are published."""

import errno
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import polars as pl

from polster_runtime.config import paths
from polster_runtime.config.logging import operation
from polster_runtime.config.polars_engine import polars_engine
from polster_runtime.errors import StorageError
from polster_runtime.storage.snapshots import FOOTER_KEY, SUFFIX, Provenance, unique_name

DRAFT = ".arrow"
NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC), 112}
"""What the system calls a disk that is full: 112 does Windows."""
_failed: set[Path] = set()
"""Files that could not be written whole: Polars may still create one after it has raised."""


def stage(
    frame: pl.LazyFrame,
    provenance: Callable[[], Provenance],
    *,
    draft: bool = False,
    begun: Callable[[Path], None] = lambda _: None,
    beside: Sequence[pl.LazyFrame] = (),
) -> Path:
    """Stream a frame into a new local file; `provenance` is asked for after the last row.

    A draft, of which only some rows are to be published, is an Arrow file, which is written in half
    the time. `begun` is called with the file before its first row. `beside` are other sinks that
    are filled in the same pass. Raises StorageError when the disk is full, and leaves no file
    behind when it fails.
    """
    path = _new_file(DRAFT if draft else SUFFIX)
    try:
        begun(path)
        with operation("write", path=str(path)):
            if draft:
                frame.sink_ipc(path, compression="lz4")
            else:
                footer = partial(_footer, provenance)
                sink = frame.sink_parquet(path, compression="zstd", metadata=footer, lazy=True)
                _fill([*beside, sink])
    except BaseException as error:
        _failed.add(path)
        _delete_failed()
        if _is_about_writing(error, path):
            raise StorageError(f"cannot write to {path.parent}: {error}") from None
        raise
    return path


def _fill(sinks: Sequence[pl.LazyFrame]) -> None:
    """Fill sinks in one pass; on a GPU Polars fills only one."""
    engine = polars_engine()
    if engine == "gpu" and len(sinks) == 1:
        sinks[0].collect(engine=engine)
    else:
        pl.collect_all(sinks, engine="streaming" if engine == "gpu" else engine)


@contextmanager
def scratch_files() -> Iterator[Path]:
    """A local path, for files whose names begin with its own; they are deleted in the end."""
    path = _new_file(".evaluated")
    try:
        yield path
    finally:
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink(missing_ok=True)
        _delete_failed()


def _new_file(suffix: str) -> Path:
    paths.staging_dir().mkdir(parents=True, exist_ok=True)
    return paths.staging_dir() / f"{os.getpid()}-{unique_name()}{suffix}"


def scan(file: Path) -> pl.LazyFrame:
    """The rows of a staged file."""
    if file.suffix == DRAFT:
        return pl.scan_ipc(file, glob=False)
    return pl.scan_parquet(file, glob=False)


def sweep(older_than_seconds: float = 86_400.0) -> None:
    """Delete the staged files that killed runs left behind."""
    for path in paths.staging_dir().glob("*.*"):
        with suppress(FileNotFoundError):  # swept by another run meanwhile
            if time.time() - path.stat().st_mtime > older_than_seconds:
                path.unlink()


def discard_staged() -> None:
    """Delete what this process has staged: for its end, while threads may still be writing."""
    for path in paths.staging_dir().glob(f"{os.getpid()}-*"):
        path.unlink(missing_ok=True)


def _delete_failed() -> None:
    for path in tuple(_failed):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _footer(provenance: Callable[[], Provenance], _: object) -> dict[str, str]:
    return {FOOTER_KEY: json.dumps(provenance())}


def _is_about_writing(error: BaseException, path: Path) -> bool:
    """Whether an error is about the staged file, not about what the rows are made of."""
    if isinstance(error, OSError):
        return error.errno in NO_SPACE or str(path.parent) in str(error)
    full = isinstance(error, pl.exceptions.ComputeError) and "underlying IO error" in str(error)
    return full and any(f"(os error {number})" in str(error) for number in NO_SPACE)
