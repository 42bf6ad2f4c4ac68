"""A store: where the snapshots of assets are, and how they get there.

A file is written to a local staging folder first and published in one step, so a reader sees all
of it or nothing. No file is ever changed, so a reader keeps what it has begun to read; old files go
when SNAPSHOT_RETENTION says so.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config.logging import operation
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import StorageError
from polster_runtime.storage.snapshots import (
    FOOTER_KEY,
    SUFFIX,
    Provenance,
    Snapshot,
    base_name,
    full_name,
    is_full,
    numbers,
    snapshot_of,
    unique_name,
)


@dataclass(frozen=True)
class Store:
    """A file system, the root of the data on it, and how Polars reaches it."""

    fs: AbstractFileSystem
    root: str
    polars_options: dict[str, Any] = field(default_factory=dict, repr=False)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what goes wrong with the store in a block into a StorageError."""
        yield

    def url(self, path: str) -> str:
        """A path as Polars takes it."""
        local = isinstance(self.fs, LocalFileSystem)
        return path if local else str(self.fs.unstrip_protocol(path))

    def folder(self, asset: AssetId) -> str:
        """Where the snapshots of an asset are."""
        return f"{self.root}/{asset.layer}/{asset.name}"

    def assets(self) -> list[AssetId]:
        """The assets that have data, layer by layer."""
        found = []
        for layer in LAYERS:
            with suppress(FileNotFoundError), self.errors():
                names = self.fs.ls(f"{self.root}/{layer}", detail=False, refresh=True)
                found += sorted(AssetId(layer, base_name(str(path).rstrip("/"))) for path in names)
        return [asset for asset in found if asset.name.isidentifier()]

    def snapshots(self, asset: AssetId) -> list[Snapshot]:
        """All snapshots of an asset, the oldest first."""
        # In order a full file comes before its increments; those whose full file is gone are none.
        found = (list(files) for _, files in groupby(self._files(self.folder(asset)), full_name))
        return [snapshot_of(*files) for files in found if is_full(files[0])]

    def latest(self, asset: AssetId) -> Snapshot | None:
        """What a reader of an asset gets: its newest snapshot, if it has any."""
        return next(reversed(self.snapshots(asset)), None)

    def before(self, asset: AssetId) -> Snapshot | None:
        """What a new snapshot is compared with: the newest one, as far as that is known."""
        return self.latest(asset)

    def rejected(self, asset: AssetId) -> list[str]:
        """The files of rows that broke the contract of an asset, the oldest first."""
        return self._files(f"{self.folder(asset)}/_rejected")

    def scan(self, snapshot: Snapshot) -> pl.LazyFrame:
        """The rows of a snapshot, not read yet. Raises StorageError when a file is damaged."""
        frames = [self._scan_file(path) for path in snapshot.paths]
        return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")

    def provenance(self, snapshot: Snapshot) -> Provenance:
        """Where the newest file of a snapshot came from. Reads its footer only.

        Raises StorageError when that is damaged.
        """
        with _damage_named(snapshot.path), self.errors():
            footer = pl.read_parquet_metadata(self.url(snapshot.path), **self.polars_options)
        found: Provenance = json.loads(footer.get(FOOTER_KEY, "{}"))
        return found

    def check(self, path: str) -> None:
        """Read a whole file. Raises StorageError when it is damaged."""
        with _damage_named(path), self.errors():
            for _ in self._scan_file(path).collect_batches():
                pass

    def new_path(self, asset: AssetId, on: Snapshot | None = None) -> str:
        """A path for new rows: a full file, or the next increment on a snapshot."""
        if on is None:
            return f"{self.folder(asset)}/{unique_name()}{SUFFIX}"
        return f"{on.paths[0].removesuffix(SUFFIX)}.{numbers(on.path)[1] + 1:06}{SUFFIX}"

    def merged_path(self, snapshot: Snapshot, first: int, last: int) -> str:
        """The path of a file that holds increments of a snapshot, from one number to another."""
        return f"{snapshot.paths[0].removesuffix(SUFFIX)}.{first:06}-{last:06}{SUFFIX}"

    @contextmanager
    def ahead(self, path: str) -> Iterator[Callable[[Path], None]]:
        """While the block lasts, a store may send a file for a path while it is being staged.

        What comes out is called with that file when it is begun. Nothing is to be seen of it before
        it is published.
        """
        yield lambda _: None

    def publish(self, staged: Path, path: str) -> str:
        """Move a staged file to a new path, where it appears whole; return where it is.

        Raises StorageError when another run has published an increment there meanwhile.
        """
        try:
            return self._publish(staged, path)
        finally:
            staged.unlink(missing_ok=True)

    def put(self, file: Path, path: str) -> None:
        """Let a local file appear whole at a new path. Raises FileExistsError."""
        if isinstance(self.fs, LocalFileSystem):
            _put_locally(file, Path(path))
        else:
            self.fs.put_file(str(file), path, mode="create")

    def delete(self, snapshot: Snapshot) -> None:
        """Delete a snapshot, its increments last: readers never get those without the full file."""
        with self.errors():
            for path in (*snapshot.paths, *snapshot.held):
                with suppress(FileNotFoundError):  # deleted by another run meanwhile
                    self.fs.rm_file(path)

    def _publish(self, staged: Path, path: str) -> str:
        try:
            with operation("publish", path=path), self.errors():
                self.put(staged, path)
        except FileExistsError:
            raise StorageError(
                f"{path} was published by another run meanwhile; run it again"
            ) from None
        except PermissionError as error:
            raise StorageError(f"cannot write {path}: {error.strerror or error}") from None
        return path

    def _files(self, folder: str) -> list[str]:
        try:
            with self.errors():
                found = self.fs.ls(folder, detail=False, refresh=True)
        except FileNotFoundError:
            return []
        return sorted((str(path) for path in found if str(path).endswith(SUFFIX)), key=base_name)

    def _scan_file(self, path: str) -> pl.LazyFrame:
        frame = pl.scan_parquet(self.url(path), glob=False, **self.polars_options)
        with _damage_named(path), self.errors():
            frame.collect_schema()
        return frame


def _put_locally(file: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_full(str(path)) or os.name == "nt":
        # A full file's name is unique; and on Windows a rename never replaces a file.
        file.rename(path)
    else:
        os.link(file, path)


@contextmanager
def _damage_named(path: str) -> Iterator[None]:
    try:
        yield
    except pl.exceptions.ComputeError as error:
        raise StorageError(
            f"{path} is damaged ({error}); delete it to go back to the snapshot before it"
        ) from None
