"""Rejected rows: which there are, and running them again."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from polster_runtime.assets.binding import function_of
from polster_runtime.config.paths import core_dir
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import PipelineError, StorageError
from polster_runtime.execution.materialize import rerun
from polster_runtime.execution.result import Materialized
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import Snapshot
from polster_runtime.storage.store import Store

GUARDED = ("silver", "gold")
"""The layers that have contracts."""
MARKS = ["_broken_rules", "_run", "_rejected_at"]
"""The columns that the quarantine adds to the rows as they came."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The rows that one run rejected."""

    asset: AssetId
    path: str
    rows: pl.LazyFrame
    published: bool
    """Whether the good rows of that run were published; else nothing was."""


class NothingRejected(PipelineError):
    """There are no rejected rows to show or to run again."""


def latest(asset: AssetId, data: Store) -> Batch:
    """What the last run of an asset rejected. Raises NothingRejected.

    A run that rejected nothing settles what those before it rejected.
    """
    found = data.rejected(asset)
    snapshot = data.latest(asset)
    newest = _name(snapshot.paths[0]) if snapshot else ""
    if not found or _name(found[-1]) < newest:
        raise NothingRejected(f"{asset}: the last run rejected nothing")
    path = found[-1]
    published = _name(path) in {_name(each.path) for each in data.snapshots(asset)}
    return Batch(asset=asset, path=path, rows=data.scan(Snapshot((path,))), published=published)


def counts(batch: Batch) -> dict[str, int]:
    """Rejected rows by the contract's own name of a rule, the most broken first."""
    rules = batch.rows.select(pl.col("_broken_rules").explode()).collect().to_series()
    found = rules.value_counts(sort=True)
    return dict(found.iter_rows())


def replay(asset: AssetId) -> Materialized:
    """Run the inputs of the last run once more, through today's code and today's contract.

    The rows that pass now are published with the others, each once; those that still break the
    contract are quarantined again. Raises NothingRejected, and StorageError when an input is gone.
    """
    return rerun(function_of(asset), lambda: _inputs(asset, store()))


def _inputs(asset: AssetId, data: Store) -> dict[AssetId, Snapshot]:
    """What the last run of an asset has read, wherever the data has been moved to since."""
    noted = data.provenance(Snapshot((latest(asset, data).path,))).get("inputs", {})
    found = {}
    for upstream, files in ((AssetId.parse(name), files) for name, files in noted.items()):
        paths = tuple(f"{data.folder(upstream)}/{_name(file)}" for file in files)
        for path in paths:
            if not data.fs.exists(path):
                raise StorageError(f"{path} is gone: run {asset} on what there is today")
        found[upstream] = Snapshot(paths)
    return found


def all_batches() -> Iterator[Batch]:
    """What the last run of each asset rejected, where it did."""
    data = store()
    for file in sorted(core_dir().glob("*_*.py")):
        asset = AssetId.parse(file.stem)
        if asset.layer in GUARDED and data.rejected(asset):
            try:
                yield latest(asset, data)
            except NothingRejected:
                continue


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
