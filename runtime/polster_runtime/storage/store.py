"""A store: where the snapshots of assets are, and how they get there.

A file is written to a local staging folder first and published in one step, so a reader sees all
of it or nothing. No file is ever changed, so a reader keeps what it has begun to read; old files go
when SNAPSHOT_RETENTION says so.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config.interruption import stop_if_interrupted
from polster_runtime.config.logging import operation
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import StorageError
from polster_runtime.storage import durable
from polster_runtime.storage.all_partitions import rows_of_all
from polster_runtime.storage.columns import alike
from polster_runtime.storage.filesystems import (
    footer,
    listed,
    local_copy,
    polars_reads,
    put_new,
    within,
)
from polster_runtime.storage.merging import on_top
from polster_runtime.storage.partitions import (
    folder_name,
    folders_among,
    key_of,
    what_to_do,
)
from polster_runtime.storage.snapshots import (
    FOOTER_KEY,
    SUFFIX,
    Provenance,
    Snapshot,
    base_name,
    full_name,
    is_first,
    is_snapshot,
    numbers,
    snapshots_among,
    stem,
    together,
    unique_name,
)


@dataclass(frozen=True)
class Store:
    """A file system of fsspec, the root of the data on it, and how Polars reaches it.

    What Polars does not read by its URL is read through fsspec.
    """

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
        whole = f"{self.root}/{asset.layer}/{asset.name}"
        return f"{whole}/{folder_name(asset.partition)}" if asset.partition else whole

    def assets(self) -> list[AssetId]:
        """The assets that have data, layer by layer."""
        found = []
        for layer in LAYERS:
            with suppress(FileNotFoundError), self.errors():
                names = listed(self.fs, f"{self.root}/{layer}")
                folders = (path.rstrip("/").rsplit("/", 1)[-1] for path in names)
                found += sorted(AssetId(layer, folder) for folder in folders)
        return [asset for asset in found if asset.name.isidentifier()]

    def snapshots(self, asset: AssetId) -> list[Snapshot]:
        """All snapshots of an asset, or of one of its partitions, the oldest first."""
        return snapshots_among(self._listed(self.folder(asset)))

    def latest(self, asset: AssetId) -> Snapshot | None:
        """What a reader of an asset gets: its newest snapshot, if it has any.

        Of an asset with partitions that is the newest of each. Where there are both, what was
        written last counts.
        """
        names = self._listed(self.folder(asset))
        whole = next(reversed(snapshots_among(names)), None)
        parts = self._partitions(names)
        return together(whole, parts) if parts else whole

    def partitions(self, asset: AssetId) -> dict[str, Snapshot]:
        """The newest snapshot of each partition of an asset, by its key, in their order."""
        return self._partitions(self._listed(self.folder(asset)))

    def chains(self, asset: AssetId) -> list[AssetId]:
        """An asset and each of its partitions: what has snapshots of its own."""
        return [asset, *map(asset.at, folders_among(self._listed(self.folder(asset))))]

    def _partitions(self, names: list[str]) -> dict[str, Snapshot]:
        """The newest snapshot of each partition whose folder is named."""
        if not (folders := folders_among(names)):
            return {}
        with self.errors():
            files = within(self.fs, list(folders.values()))
        found = {key: snapshots_among(files[folders[key]]) for key in folders}
        return {key: snapshots[-1] for key, snapshots in found.items() if snapshots}

    def before(self, asset: AssetId) -> Snapshot | None:
        """What a new snapshot is compared with: the newest one, as far as that is known."""
        return self.latest(asset)

    def rejected(self, asset: AssetId) -> list[str]:
        """The files of rows that broke the contract of an asset, the oldest first."""
        found = self._listed(f"{self.folder(asset)}/_rejected")
        return sorted(filter(is_snapshot, found), key=base_name)

    def other_files(self) -> Iterator[str]:
        """Parquet files beside the snapshots that are not named as such: nothing reads them."""
        for layer in LAYERS:
            folder, found = f"{self.root}/{layer}", list[str]()
            with suppress(FileNotFoundError), self.errors():
                found = sorted(map(str, self.fs.find(folder)))
            for path in found:
                inside = path[path.find(f"{folder}/") + len(folder) + 1 :].split("/")
                folders = inside[2 if len(inside) > 2 and key_of(inside[1]) else 1 : -1]
                placed = len(inside) > 1 and folders in ([], ["_rejected"])
                if path.lower().endswith(SUFFIX) and not (placed and is_snapshot(path)):
                    yield path

    def scan(self, snapshot: Snapshot) -> pl.LazyFrame:
        """The rows of a snapshot, not read yet.

        Raises StorageError when a file is damaged, and when no type holds the values of a column in
        all files.
        """
        if snapshot.partitioned:
            return rows_of_all(self, snapshot.paths)
        frames = list(self.frames(snapshot).values())
        if len(frames) == 1 and is_first(snapshot.path):
            return frames[0]
        return on_top(frames, self.base(snapshot).get("key"))

    def frames(self, snapshot: Snapshot) -> dict[str, pl.LazyFrame]:
        """The rows of each file of a snapshot by itself, in columns of the same types.

        Raises StorageError as `scan` does.
        """
        return alike({path: self.scan_file(path) for path in snapshot.paths})

    def base(self, snapshot: Snapshot) -> Provenance:
        """What the first file of a snapshot says: its key holds for the increments as well."""
        return self.provenance(Snapshot(snapshot.paths[:1]))

    def epoch(self, snapshot: Snapshot) -> str:
        """The name of the full file that its increments count from; compaction does not change it.

        Raises StorageError when that file is damaged.
        """
        return str(self.base(snapshot).get("epoch") or full_name(snapshot.paths[0]))

    def provenance(self, snapshot: Snapshot) -> Provenance:
        """Where the newest file of a snapshot came from. Reads its footer only.

        Raises StorageError when that is damaged.
        """
        with self._damage_named(snapshot.path), self.errors():
            if polars_reads(self.fs):
                known = pl.read_parquet_metadata(self.url(snapshot.path), **self.polars_options)
            else:
                known = pl.read_parquet_metadata(footer(self.fs, snapshot.path))
        found: Provenance = json.loads(known.get(FOOTER_KEY, "{}"))
        return found

    def check(self, path: str) -> None:
        """Read a whole file. Raises StorageError when it is damaged."""
        with self._damage_named(path), self.errors():
            for _ in self.scan_file(path).collect_batches():
                pass

    def new_path(self, asset: AssetId, on: Snapshot | None = None) -> str:
        """A path for new rows: a full file, or the next increment on a snapshot.

        A full file is named so that it is the latest, also where the clock of this machine, or of
        one that wrote before, is wrong.
        """
        if on is None:
            before = self.before(asset)
            known = [before.path if before.partitioned else before.paths[0]] if before else []
            if asset.layer != LAYERS[0]:
                known += self.rejected(asset)[-1:]
            newest = max(known, key=full_name, default="")
            return f"{self.folder(asset)}/{unique_name(after=newest)}{SUFFIX}"
        return f"{stem(on)}.{numbers(on.path)[1] + 1:06}{SUFFIX}"

    def merged_path(self, snapshot: Snapshot, first: int, last: int) -> str:
        """The path of a file that holds increments of a snapshot, from one number to another.

        From 0 it holds the full file as well.
        """
        return f"{stem(snapshot)}.{first:06}-{last:06}{SUFFIX}"

    @contextmanager
    def ahead(self, path: str) -> Iterator[Callable[[Path], None]]:
        """While the block lasts, a store may send a file for a path while it is being staged.

        What comes out is called with that file when it is begun. Nothing is to be seen of it before
        it is published.
        """
        yield lambda _: None

    def publish(self, staged: Path, path: str) -> str:
        """Move a staged file to a new path, where it appears whole; return where it is.

        Raises StorageError when another run has published an increment there meanwhile, and
        Interrupted when this one was told to stop.
        """
        try:
            stop_if_interrupted()
            return self._publish(staged, path)
        finally:
            staged.unlink(missing_ok=True)

    def put(self, file: Path, path: str) -> None:
        """Let a local file appear whole at a new path. Raises FileExistsError."""
        if isinstance(self.fs, LocalFileSystem):
            durable.publish(file, Path(path))
        else:
            put_new(self.fs, file, path)

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
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror or error}") from None
        return path

    def _listed(self, folder: str) -> list[str]:
        try:
            with self.errors():
                return listed(self.fs, folder)
        except FileNotFoundError:
            return []

    def scan_file(self, path: str) -> pl.LazyFrame:
        """The rows of one file as they are in it. Raises StorageError when it is damaged."""
        with self._damage_named(path), self.errors():
            frame = self.scan_alike([path])
            frame.collect_schema()
        return frame

    def scan_alike(self, paths: Sequence[str]) -> pl.LazyFrame:
        """The rows of files that have the same columns, not looked at yet."""
        reads = polars_reads(self.fs)
        files = [self.url(path) if reads else str(local_copy(self.fs, path)) for path in paths]
        options = self.polars_options if reads else {}
        return pl.scan_parquet(files, glob=False, hive_partitioning=False, **options)

    @contextmanager
    def _damage_named(self, path: str) -> Iterator[None]:
        try:
            yield
        except pl.exceptions.ComputeError as error:
            is_local = isinstance(self.fs, LocalFileSystem)  # a cloud's answer may be cut short
            what = f"{path} is damaged ({error}){what_to_do(path)}"
            raise StorageError(what, final=is_local) from None
