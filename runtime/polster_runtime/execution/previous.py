"""What a run takes over from the snapshot before."""

from contextlib import suppress

import polars as pl

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import StorageError
from polster_runtime.execution.description import schema_of
from polster_runtime.storage.snapshots import Provenance, Snapshot
from polster_runtime.storage.store import Store

RECENT = 5
"""Row counts of earlier snapshots that a new one remembers."""


def footer(data: Store, asset: AssetId, previous: Snapshot | None) -> Provenance:
    """What the newest file of a silver or gold asset says; nothing where there is none."""
    if previous is None or asset.layer == LAYERS[0]:
        return {}
    return data.provenance(previous)


def recent_rows(data: Store, asset: AssetId, previous: Snapshot | None) -> list[int]:
    """Row counts of the full snapshots of a bronze asset, the oldest first."""
    if previous is None or asset.layer != LAYERS[0]:
        return []
    full = Snapshot(previous.paths[:1])
    remembered = data.provenance(full).get("recent_rows", [])
    rows = data.scan(full).select(pl.len()).collect().item()
    return [*remembered, rows][-RECENT:]


def columns_before(data: Store, partition: AssetId) -> dict[str, str] | None:
    """The columns of the last partition before one that can be read; None where there is none."""
    with suppress(StorageError):  # drift is a warning, which fails no run
        earlier = [one for one in data.chains(partition.whole) if one.partition]
        for one in reversed(earlier):
            if one.partition < partition.partition and (found := data.before(one)):
                return schema_of(data.scan(found))
    return None
