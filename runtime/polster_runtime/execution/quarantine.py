"""Rejected rows: which there are, and running them again."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import polars as pl

from polster_runtime.assets.binding import function_of
from polster_runtime.assets.increments import plan_of
from polster_runtime.config.paths import core_dir
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import PipelineError, StorageError
from polster_runtime.execution.materialize import materialize, rerun
from polster_runtime.execution.result import ONCE_MORE, Materialized
from polster_runtime.execution.slices import Slice
from polster_runtime.storage.partitions import asset_of_path
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import Snapshot, base_name, full_name
from polster_runtime.storage.store import Store
from polster_runtime.storage.versions import version

GUARDED = ("silver", "gold")
"""The layers that have contracts."""
MARKS = ["_broken_rules", "_run", "_rejected_at"]
"""The columns that the quarantine adds to the rows as they came."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The rows that a run rejected; of an incremental asset, those of all its runs so far."""

    asset: AssetId
    paths: tuple[str, ...]
    """Their files, the oldest first."""
    rows: pl.LazyFrame
    published: bool
    """Whether the good rows of that run were published; else nothing was."""

    @property
    def path(self) -> str:
        """The newest of the files."""
        return self.paths[-1]


class NothingRejected(PipelineError):
    """There are no rejected rows to show or to run again."""


def latest(asset: AssetId, data: Store) -> Batch:
    """What the last run of an asset rejected. Raises NothingRejected.

    A run that rejected nothing settles what those before it rejected, if it has read everything.
    An incremental asset says in its footer what has not been settled; what its last run rejected
    counts as well, where that published nothing.
    """
    snapshot = data.latest(asset)
    footer = data.provenance(snapshot) if snapshot else {}
    full = full_name(snapshot.paths[0]) if snapshot else ""
    files = data.rejected(asset)
    if snapshot and "kind" in footer:
        known = [path for path in files if base_name(path) in footer.get("quarantined", [])]
        refused = _since(data, files, snapshot) if files and files[-1] not in known else []
        unsettled = known + refused
        published = not refused
    else:
        unsettled = [path for path in files if full_name(path) >= full][-1:]
        published = unsettled == [] or full_name(unsettled[0]) == full
    if not unsettled and any(map(data.rejected, data.chains(asset)[1:])):
        raise NothingRejected(
            f"{asset} has partitions: say which, {asset}[KEY]; "
            "polster quarantine list  shows those that rejected rows"
        )
    if not unsettled:
        raise NothingRejected(f"{asset}: the last run rejected nothing")
    return Batch(
        asset=asset,
        paths=tuple(unsettled),
        rows=pl.concat(data.frames(Snapshot(tuple(unsettled))).values(), how="diagonal"),
        published=published,
    )


def _since(data: Store, files: Sequence[str], snapshot: Snapshot) -> list[str]:
    """The newest file of rejected rows, if nothing was published since its run began.

    The version of the rows that there were tells, not the time: clocks of machines differ.
    """
    rejected = data.provenance(Snapshot((files[-1],)))
    if "on" in rejected:
        since = rejected["on"] == [*version(data, snapshot)]
    else:  # of an older Polster
        since = rejected.get("written", "") > data.provenance(snapshot).get("written", "")
    return [files[-1]] if since else []


def counts(batch: Batch) -> dict[str, int]:
    """Rejected rows by the contract's own name of a rule, the most broken first."""
    rules = batch.rows.select(pl.col("_broken_rules").explode()).collect().to_series()
    found = rules.value_counts(sort=True)
    return dict(found.iter_rows())


def replay(asset: AssetId) -> list[Materialized]:
    """Run the inputs of the last run once more, through today's code and today's contract.

    The rows that pass now are published with the others, each once; those that still break the
    contract are quarantined again. Of an incremental asset each increment that rejected rows is run
    by itself; all is read where what it has read cannot be told any more.
    Raises NothingRejected, and StorageError when an input is gone.
    """
    function = function_of(asset)
    plan, data = plan_of(function), store()
    if not plan.incremental:
        return [rerun(function, lambda: _inputs(asset, store()), asset.partition)]
    batch = latest(asset, data)
    if not plan.repeatable:
        raise NothingRejected(
            f"{asset} cannot read again what it was given then: run it, which takes in what its "
            "upstream assets still have"
        )
    paths = batch.paths if batch.published else batch.paths[:-1]
    slices = [Slice.of(base_name(path), data.provenance(Snapshot((path,)))) for path in paths]
    told = [found for found in slices if found is not None]
    if len(told) < len(slices):
        return [materialize(function, full_refresh=True)]
    done = list[Materialized]()
    # The newest rows first, since older ones never take their place.
    for again in sorted(told, key=lambda found: found.until, reverse=True):
        done.append(materialize(function, again=again))
        if done[-1].read != ONCE_MORE:
            return done  # which has settled all of them
    return done if batch.published else [*done, materialize(function)]


def _inputs(asset: AssetId, data: Store) -> dict[AssetId, Snapshot]:
    """What the last run of an asset has read, wherever the data has been moved to since."""
    noted = data.provenance(Snapshot((latest(asset, data).path,))).get("inputs", {})
    found = {}
    for upstream, files in ((AssetId.parse(name), files) for name, files in noted.items()):
        paths = tuple(_place(data, upstream, file) for file in files)
        for path in paths:
            if not data.fs.exists(path):
                raise StorageError(
                    f"{path} is gone: run {asset} on what there is today", final=True
                )
        found[upstream] = Snapshot(paths, partitioned=asset_of_path(paths[0]) != upstream)
    return found


def all_batches() -> Iterator[Batch]:
    """What the last run of each asset rejected, where it did."""
    data = store()
    for file in sorted(core_dir().glob("*_*.py")):
        asset = AssetId.parse(file.stem)
        for chain in data.chains(asset) if asset.layer in GUARDED else ():
            if data.rejected(chain):
                with suppress(NothingRejected):
                    yield latest(chain, data)


def _place(data: Store, upstream: AssetId, file: str) -> str:
    """Where a file of an asset that was read is now."""
    inside = file.rpartition(f"/{upstream.layer}/{upstream.name}/")[2]
    return f"{data.folder(upstream.whole)}/{inside}"
