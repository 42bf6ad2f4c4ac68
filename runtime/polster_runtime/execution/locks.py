"""One run of an asset, or of one of its partitions, at a time on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from filelock import FileLock, Timeout

from polster_runtime.config import paths
from polster_runtime.config.interruption import stop_if_interrupted
from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId

WAIT_SECONDS = 0.5
"""How often a run that waits looks whether it was interrupted."""


@contextmanager
def alone(asset: AssetId) -> Iterator[None]:
    """Wait until no other process of this machine, and no other thread, runs it.

    Raises Interrupted when the wait is in vain.
    """
    folder = paths.staging_dir() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    part = f"-{sha256(asset.partition.encode()).hexdigest()[:16]}" if asset.partition else ""
    lock = FileLock(folder / f"{asset.whole}{part}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log.warning("waiting for another run", extra={"details": {"asset": str(asset)}})
        while not _is_ours(lock):
            stop_if_interrupted()
    try:
        yield
    finally:
        lock.release()


def _is_ours(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=WAIT_SECONDS)
    except Timeout:
        return False
    return True
