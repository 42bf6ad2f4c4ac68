"""One run of an asset at a time on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from polster_runtime.config import paths
from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId


@contextmanager
def alone(asset: AssetId) -> Iterator[None]:
    """Wait until no other process of this machine runs the asset."""
    folder = paths.staging_dir() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{asset}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log.warning("waiting for another run", extra={"details": {"asset": str(asset)}})
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
