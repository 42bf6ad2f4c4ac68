"""Rejected rows: which there are, and running them again."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from polster_runtime.assets.binding import function_of
from polster_runtime.assets.increments import plan_of
from polster_runtime.config.paths import core_dir
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import PipelineError, StorageError
from polster_runtime.execution.materialize import materialize, rerun
from polster_runtime.execution.result import Materialized
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import Snapshot, full_name, numbers
from polster_runtime.storage.store import Store

GUARDED = ("silver", "gold")
"""The layers that have contracts."""
MARKS = ["_broken_rules", "_run", "_rejected_at"]
"""The columns that the quarantine adds to the rows as they came."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The rows that a run rejected; of an incremental asset, those of all its runs so far."""

    asset: AssetId
    path: str
    """The newest of their files."""
    rows: pl.LazyFrame
    published: bool
    """Whether the good rows of that run were published; else nothing was."""


class NothingRejected(PipelineError):
    """There are no rejected rows to show or to run again."""


def latest(asset: AssetId, data: Store) -> Batch:
    """What the last run of an asset rejected. Raises NothingRejected.

    A run that rejected nothing settles what those before it rejected, if it has read everything.
    """
    snapshot = data.latest(asset)
    full = full_name(snapshot.paths[0]) if snapshot else ""
    grows = snapshot is not None and "kind" in data.base(snapshot)
    since = data.epoch(snapshot) if snapshot and grows else full
    unsettled = [path for path in data.rejected(asset) if full_name(path) >= since]
    if not unsettled:
        raise NothingRejected(f"{asset}: the last run rejected nothing")
    path = unsettled[-1]
    files = data.frames(Snapshot(tuple(unsettled) if grows else (path,)))
    reached = numbers(snapshot.path)[1] if snapshot and full_name(path) == full else -1
    return Batch(
        asset=asset,
        path=path,
        rows=pl.concat(files.values(), how="diagonal"),
        published=full_name(path) < full or numbers(path)[1] <= reached,
    )


def counts(batch: Batch) -> dict[str, int]:
    """Rejected rows by the contract's own name of a rule, the most broken first."""
    rules = batch.rows.select(pl.col("_broken_rules").explode()).collect().to_series()
    found = rules.value_counts(sort=True)
    return dict(found.iter_rows())


def replay(asset: AssetId) -> Materialized:
    """Run the inputs of the last run once more, through today's code and today's contract.

    The rows that pass now are published with the others, each once; those that still break the
    contract are quarantined again. An incremental asset reads everything, which is the same.
    Raises NothingRejected, and StorageError when an input is gone.
    """
    function = function_of(asset)
    plan = plan_of(function)
    if not plan.incremental:
        return rerun(function, lambda: _inputs(asset, store()))
    latest(asset, store())
    if not plan.repeatable:
        raise NothingRejected(
            f"{asset} cannot read again what it was given then: run it, which takes in what its "
            "upstream assets still have"
        )
    return materialize(function, full_refresh=True)


def _inputs(asset: AssetId, data: Store) -> dict[AssetId, Snapshot]:
    """What the last run of an asset has read, wherever the data has been moved to since."""
    noted = data.provenance(Snapshot((latest(asset, data).path,))).get("inputs", {})
    found = {}
    for upstream, files in ((AssetId.parse(name), files) for name, files in noted.items()):
        paths = tuple(f"{data.folder(upstream)}/{_name(file)}" for file in files)
        for path in paths:
            if not data.fs.exists(path):
                raise StorageError(
                    f"{path} is gone: run {asset} on what there is today", final=True
                )
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
