"""What a command line would run: which assets and partitions, and how long that took before."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from polster_runtime.dagster.asset_keys import name_of_key
from polster_runtime.dagster.instance import opened
from polster_runtime.dagster.partition_runs import Batch, partitions_of
from polster_runtime.dagster.selection import Graph

SAMPLE = 20
"""The latest materializations of an asset, whose mean time counts."""


def planned(graph: Graph, batches: Sequence[Batch]) -> dict[str, Any]:
    """What some runs would do.

    `runs`: the `assets` of each, and the `first`, `last` and number of their `partitions`.
    `assets`: each with how many `partitions` of it are run, and the `seconds` that is likely to
    take, None where it has never run.
    """
    counts: dict[dg.AssetKey, int | None] = {}
    for batch in batches:
        for key in batch.assets:
            parts = len(batch.partitions) if partitions_of(graph, key) else None
            counts[key] = parts if parts is None else (counts.get(key) or 0) + parts
    with opened() as instance:
        assets = [
            {
                "key": key.to_user_string(),
                "partitions": counts[key],
                "seconds": _seconds(instance, key, counts[key]),
            }
            for key in graph.toposorted_asset_keys
            if key in counts
        ]
    return {"runs": [_described(batch) for batch in batches], "assets": assets}


def _described(batch: Batch) -> dict[str, Any]:
    parts = batch.partitions
    return {
        "assets": sorted(key.to_user_string() for key in batch.assets),
        "partitions": len(parts) if parts else None,
        "first": parts[0] if parts else None,
        "last": parts[-1] if parts else None,
    }


def _seconds(instance: dg.DagsterInstance, key: dg.AssetKey, times: int | None) -> float | None:
    records = instance.fetch_materializations(key, SAMPLE).records
    found = [
        float(str(seconds.value))
        for record in records
        if record.asset_materialization
        and (seconds := record.asset_materialization.metadata.get("seconds"))
    ]
    if not found:
        return None
    return round(sum(found) / len(found) * (1 if times is None else times), 3)


def as_text(plan: dict[str, Any], width: int) -> Iterator[str]:
    """The plan for a person."""
    for one in plan["assets"]:
        parts = "" if one["partitions"] is None else f"{one['partitions']:,} partitions"
        took = "never ran" if one["seconds"] is None else f"about {one['seconds']:,.1f} s"
        name = name_of_key(dg.AssetKey.from_user_string(one["key"]))
        yield f"{name:<{width}}{parts:>20}   {took}"
    runs = [run for run in plan["runs"] if run["partitions"]]
    for run in runs:
        span = run["first"] if run["partitions"] == 1 else f"{run['first']} to {run['last']}"
        yield f"run of {len(run['assets'])} assets: {run['partitions']:,} partitions, {span}"
    yield "nothing was run (--dry-run)" if plan["assets"] else "nothing to run"
