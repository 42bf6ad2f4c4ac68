"""A folder for the time of one read, which goes when the read ends, however it ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from polster_runtime.errors import SettingsError


@contextmanager
def scratch_folder(kind: str = "files") -> Iterator[Path]:
    """Make a folder in the project's staging directory, or a temporary one without a project.

    Those of processes that were killed are deleted: nobody holds their lock.
    """
    from filelock import FileLock

    from polster_runtime.storage.snapshots import unique_name

    try:
        staging = _staging()
    except SettingsError:
        with TemporaryDirectory(prefix=f"polster-{kind}-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    locks = staging / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    _delete_left(staging, kind)
    folder = staging / f"{kind}-{unique_name()}"
    lock = FileLock(locks / f"{folder.name}.lock")
    with lock:
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    Path(lock.lock_file).unlink(missing_ok=True)


def _staging() -> Path:
    from polster_runtime.config.paths import staging_dir

    return staging_dir()


def _delete_left(staging: Path, kind: str) -> None:
    from filelock import FileLock, Timeout

    for left in staging.glob(f"{kind}-*"):
        lock = FileLock(staging / "locks" / f"{left.name}.lock")
        try:
            with lock.acquire(blocking=False):
                shutil.rmtree(left, ignore_errors=True)
        except Timeout:
            continue
        Path(lock.lock_file).unlink(missing_ok=True)
