"""What is stored of many assets, as the footers of their files tell it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import polars as pl
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config.paths import project_root
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError, Unreachable
from polster_runtime.storage.footers import Footers, footers
from polster_runtime.storage.partitions import asset_of_path
from polster_runtime.storage.snapshots import Snapshot, written_at
from polster_runtime.storage.store import Store

THREADS = 16
"""Assets that are looked at together where each look is a request to a cloud."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What is stored of an asset; without a `path` there is nothing."""

    path: str = ""
    """The newest file of its newest snapshot."""
    rows: int | None = None
    written: float = 0.0
    """When that file was written, in seconds since 1970."""
    partitions: tuple[str, ...] = ()
    """Those that have data, of an asset that is stored by partition."""
    problem: str = ""
    """Why it cannot be read, and what to do; empty where it can."""


def inspect(data: Store, assets: Iterable[AssetId]) -> dict[AssetId, Stored]:
    """Look at the newest snapshot of each asset: one listing, and the footers of its files.

    An asset of which nothing can be known, since its store is out of reach, is missing in it.
    Raises StorageError when the store refuses.
    """
    assets, look = list(assets), partial(_look, data)
    if isinstance(data.fs, LocalFileSystem):
        looks = list(map(look, assets))
    else:
        with ThreadPoolExecutor(THREADS) as pool:
            looks = list(pool.map(look, assets))
    known = {asset: found for asset, found in zip(assets, looks, strict=True) if found is not None}
    frames = {asset: frame for asset, (_, frame) in known.items() if frame is not None}
    rows = _count(frames)
    return {
        asset: replace(found, rows=rows.get(asset, found.rows))
        for asset, (found, _) in known.items()
    }


def _look(data: Store, asset: AssetId) -> tuple[Stored, pl.LazyFrame | None] | None:
    try:
        snapshot = data.latest(asset)
    except Unreachable:
        return None
    if snapshot is None:
        return Stored(), None
    found = Stored(path=snapshot.path, written=written_at(snapshot.path).timestamp())
    try:
        if snapshot.partitioned:
            keys = tuple(asset_of_path(path).partition for path in snapshot.paths)
            found = replace(found, partitions=keys)
            if (known := _footers(data, snapshot)).columns:
                return replace(found, rows=known.rows), None
        frame = data.scan(snapshot)
        if written := data.provenance(snapshot).get("written"):
            found = replace(found, written=datetime.fromisoformat(written).timestamp())
    except (StorageError, OSError, TypeError, ValueError) as error:
        return replace(found, problem=_shown(error)), None
    return found, frame.select(pl.len())


def _footers(data: Store, snapshot: Snapshot) -> Footers:
    """What the files of many partitions say; without columns where a damaged one is to be named."""
    try:
        return footers(data, snapshot.paths)
    except (StorageError, pl.exceptions.PolarsError, OSError):
        return Footers(0, "")


def _count(frames: dict[AssetId, pl.LazyFrame]) -> dict[AssetId, int]:
    """The rows of each frame, which Parquet knows without reading them."""
    counts = pl.collect_all(list(frames.values()))
    return {asset: count.item() for asset, count in zip(frames, counts, strict=True)}


def _shown(error: Exception) -> str:
    """An error with paths as a person looks for them: inside the project, from its root."""
    return str(error).replace(f"{project_root().as_posix()}/", "")
