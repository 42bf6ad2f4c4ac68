"""What a store in a cloud has beside its data: samples here, and runs that go on without it.

A sample of each snapshot is kept in data/samples; no reader takes it for data. Where that is asked
for, a run goes on while the cloud cannot be reached: its snapshots wait in data/.pending, and the
next run that reaches the cloud carries them up.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from filelock import FileLock
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config import paths
from polster_runtime.config.logging import log
from polster_runtime.config.settings import load
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import SettingsError, StorageError, Unreachable
from polster_runtime.storage.partitions import asset_of_path
from polster_runtime.storage.snapshots import SUFFIX, Snapshot, is_full, unique_name
from polster_runtime.storage.store import Store


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """How much of each snapshot is kept on this machine as well."""

    dual_write_sample_size: int = 50
    """Rows."""
    disable_local_sample: bool = False

    def __post_init__(self) -> None:
        if self.dual_write_sample_size < 0:
            size = self.dual_write_sample_size
            raise SettingsError(f"DUAL_WRITE_SAMPLE_SIZE must be 0 or more, not {size}")

    @property
    def rows(self) -> int:
        """Rows of a sample; 0 when there is none."""
        return 0 if self.disable_local_sample else self.dual_write_sample_size


@dataclass(frozen=True)
class CloudStore(Store):
    """A store that may be out of reach."""

    falls_back: bool = False
    """Whether a run goes on while the cloud cannot be reached."""

    def reach(self) -> None:
        """Ask the cloud for anything at all. Raises Unreachable, and StorageError when refused."""
        raise NotImplementedError

    def new_path(self, asset: AssetId, on: Snapshot | None = None) -> str:
        """A path for new rows, named by the clock alone when the cloud has gone away meanwhile."""
        try:
            return super().new_path(asset, on)
        except Unreachable:
            if not self.falls_back:
                raise
            return f"{self.folder(asset)}/{unique_name()}{SUFFIX}"  # publishing will say so

    def _publish(self, staged: Path, path: str) -> str:
        """Publish in the cloud, with a sample here.

        A full file waits here when the cloud has gone away meanwhile, if that is asked for. An
        increment does not: without it the next run reads the same rows once more.
        """
        try:
            where = super()._publish(staged, path)
        except Unreachable as error:
            if not self.falls_back or not is_full(path):
                raise
            _warn(error)
            here = pending_store()
            return here.publish(staged, f"{here.root}{path.removeprefix(self.root)}")
        _write_sample(staged, path.removeprefix(f"{self.root}/"))
        return where


class PendingStore(Store):
    """This machine in place of a cloud that cannot be reached: the snapshots that wait for it."""

    def latest(self, asset: AssetId) -> Snapshot | None:
        """The newest snapshot that waits here; never an older one, and never a sample.

        Raises Unreachable when there is none: what readers should get is in the cloud.
        """
        found = self.before(asset)
        if found is None or found.partitioned:  # of its partitions only some wait here
            raise Unreachable(f"{asset}: its data is in the cloud, which cannot be reached")
        return found

    def before(self, asset: AssetId) -> Snapshot | None:
        """The newest snapshot that waits here, if there is one."""
        return super().latest(asset)


def connected(cloud: CloudStore) -> Store:
    """The cloud, once all that waited for it is there; or this machine, when it falls back.

    Raises SettingsError, Unreachable, and StorageError when the cloud refuses.
    """
    load(SampleSettings)
    try:
        cloud.reach()
        carry_up(cloud)
    except Unreachable as error:
        if not cloud.falls_back:
            raise
        _warn(error)
        return pending_store()
    return cloud


def carry_up(cloud: CloudStore) -> None:
    """Publish what waits in data/.pending, each file once, whatever was interrupted before."""
    if not any(pending()):
        return
    with FileLock(pending_folder() / ".lock"):
        for file in pending():
            path = f"{cloud.root}/{file.relative_to(pending_folder()).as_posix()}"
            try:
                with cloud.errors():
                    cloud.put(file, path)
            except FileExistsError:  # uploaded by a run that ended before it could say so
                _check_same(cloud, file, path)
            _write_sample(file, path.removeprefix(f"{cloud.root}/"))
            file.unlink()
            log.warning("uploaded pending snapshots", extra={"details": {"path": path}})


def pending(asset: AssetId | None = None) -> Iterator[Path]:
    """The files, of one asset or all, that wait for the cloud, in the order to carry them up."""
    folder = pending_folder()
    if asset is not None:
        folder = folder / asset.layer / asset.name
    yield from sorted(folder.rglob(f"*{SUFFIX}"))


def waits(path: str) -> bool:
    """Whether a published file waits for the cloud."""
    return path.startswith(f"{pending_folder().as_posix()}/")


def pending_store() -> PendingStore:
    """The snapshots that wait, as a store."""
    return PendingStore(LocalFileSystem(), pending_folder().as_posix())


def pending_folder() -> Path:
    """Where snapshots wait."""
    return paths.data_dir() / ".pending"


def sample_file(asset: AssetId) -> Path:
    """Where the sample of an asset is."""
    return paths.data_dir() / "samples" / asset.layer / f"{asset.name}{SUFFIX}"


def _check_same(cloud: CloudStore, file: Path, path: str) -> None:
    with cloud.errors():
        there = cloud.fs.size(path)
    if there != file.stat().st_size:
        raise StorageError(f"{path} is there already, and differs from {file}: keep one of them")


def _write_sample(file: Path, relative: str) -> None:
    """Replace the sample of an asset by the first rows of a file; say so when that fails."""
    rows = load(SampleSettings).rows
    if not rows or "/_rejected/" in relative:
        return
    target = sample_file(asset_of_path(relative))
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pl.scan_parquet(file, glob=False).head(rows).sink_parquet(fresh)
        fresh.replace(target)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        log.warning("no local sample", extra={"details": {"path": str(target), "error": error}})


def _warn(error: Unreachable) -> None:
    log.warning(
        "the cloud cannot be reached: this run goes on here, and is uploaded later",
        extra={"details": {"error": error, "waiting": str(pending_folder())}},
    )
