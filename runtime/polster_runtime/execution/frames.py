"""The frames of @asset functions: read from snapshots, published as snapshots like any other."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from polster_runtime.assets.drift import Drift
from polster_runtime.config.interruption import stop_if_interrupted
from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.description import look_at, schema_of, summary
from polster_runtime.execution.events import began, tell
from polster_runtime.execution.result import Materialized
from polster_runtime.execution.upkeep import keep_files_few
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import Provenance
from polster_runtime.storage.staging import stage

Frame = pl.DataFrame | pl.LazyFrame


def latest(asset: AssetId) -> tuple[pl.LazyFrame, Sequence[str]] | None:
    """The rows of an asset and the files that they are in; None where it has none.

    Raises StorageError.
    """
    data = store()
    snapshot = data.latest(asset)
    return None if snapshot is None else (data.scan(snapshot), list(snapshot.paths))


def publish(
    asset: AssetId, frame: Frame, found: Provenance, inputs: Mapping[str, Sequence[str]]
) -> Materialized:
    """Publish a frame as the newest snapshot of an asset.

    `inputs` are the files that each upstream asset was read from. Raises StorageError, Interrupted,
    and what computing a lazy frame raises.
    """
    stop_if_interrupted()
    started, data = began.get() or time.perf_counter(), store()
    path = data.new_path(asset)

    def provenance() -> Provenance:
        return {**found, "inputs": inputs, "written": datetime.now(UTC).isoformat()}

    with data.errors():
        staged = stage(frame.lazy(), provenance)
    rows, preview = look_at(staged)
    done = Materialized(
        asset=asset,
        path=path,
        rows=rows,
        size=staged.stat().st_size,
        seconds=0.0,
        schema=schema_of(preview),
        preview=preview,
        drift=Drift(added={}, removed={}, retyped={}, usual_rows=None),
        lineage=None,
        contract=None,
        rejected=0,
        broken_rules={},
    )
    where = data.publish(staged, path)
    done = replace(done, path=where, seconds=time.perf_counter() - started)
    keep_files_few(done, incremental=False)
    log.info("materialized", extra={"details": summary(done)})
    tell(lambda listener: listener.finished(done))
    return done
