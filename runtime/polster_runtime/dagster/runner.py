"""Run assets in this process; Dagster's event log keeps what happened."""

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from polster_runtime.config import interruption
from polster_runtime.dagster import alerts, dry_run, local_run, partition_runs
from polster_runtime.dagster.failed import failed_last_time, failed_partitions
from polster_runtime.dagster.instance import opened
from polster_runtime.dagster.old_runs import tidy
from polster_runtime.dagster.outcomes import blocked, outcomes, together
from polster_runtime.dagster.partition_runs import Batch, partitions_of
from polster_runtime.dagster.partitioned_step import FULL_REFRESH
from polster_runtime.dagster.recovery import watched
from polster_runtime.dagster.selection import Graph, Keys, runnable, select
from polster_runtime.storage.registry import store
from polster_runtime.storage.staging import sweep

SUCCESS = dg.DagsterEventType.RUN_SUCCESS


class Interrupted(Exception):
    """The run was told to stop; what was published before stays."""


def run(
    definitions: dg.Definitions,
    names: Sequence[str] = (),
    expression: str | None = None,
    *,
    failed: bool = False,
    full_refresh: bool = False,
    partition: str | None = None,
    missing: bool = False,
) -> dict[str, Any]:
    """Run the named assets, those of a selection, or all, and tell what became of each.

    Or what `failed` last time: that may be none, and then there is no run. Of assets with
    partitions those that `partition` says, those that are `missing`, or the latest.

    Raises UnknownAsset, HistoryError and Interrupted.
    """
    graph = definitions.resolve_asset_graph()
    selected = _selected(graph, names, expression, failed, bool(partition or missing))
    sweep()
    tags = {FULL_REFRESH: "true"} if full_refresh else {}
    done = list[dict[str, Any]]()
    for batch in _wanted(graph, selected, partition, missing=missing, failed=failed):
        skipped = blocked(graph, batch.assets, done)
        if missing or failed:  # what failed of a partition stops none of the others
            skipped = {key: one for key, one in skipped.items() if not partitions_of(graph, key)}
        assets = batch.assets - skipped.keys()
        if assets:
            done.append(_run(definitions, graph, Batch(assets, batch.partitions), tags))
        done += [{"success": False, "assets": list(skipped.values())}] if skipped else []
    runs = [one for one in done if "run_id" in one]
    return {
        "success": all(one["success"] for one in done),
        "run_id": runs[-1]["run_id"] if runs else None,
        "seconds": round(sum(one["seconds"] for one in runs), 3),
        "assets": together(one["assets"] for one in done),
    }


def planned(
    definitions: dg.Definitions,
    names: Sequence[str] = (),
    expression: str | None = None,
    *,
    failed: bool = False,
    partition: str | None = None,
    missing: bool = False,
) -> dict[str, Any]:
    """What `run` would do with the same arguments. Raises UnknownAsset and HistoryError."""
    graph = definitions.resolve_asset_graph()
    selected = _selected(graph, names, expression, failed, bool(partition or missing))
    return dry_run.planned(
        graph, _wanted(graph, selected, partition, missing=missing, failed=failed)
    )


def _selected(
    graph: Graph, names: Sequence[str], expression: str | None, failed: bool, by_partition: bool
) -> Keys:
    if failed:
        with opened(running=True) as instance:
            return runnable(graph, failed_last_time(instance, graph))
    selected = select(graph, names, expression)
    if by_partition and not names and expression is None:
        return partition_runs.with_downstream(graph, partition_runs.parted(graph, selected))
    return selected


def _wanted(
    graph: Graph, selected: Keys, partition: str | None, *, missing: bool, failed: bool
) -> list[Batch]:
    if missing:
        return partition_runs.missing(graph, selected, partition or "", store())
    if failed:
        with opened(running=True) as instance:
            return partition_runs.failed(graph, selected, failed_partitions(instance, graph))
    if partition:
        return [partition_runs.range_of(graph, selected, partition)]
    return partition_runs.batches(graph, selected)


def _run(
    definitions: dg.Definitions, graph: Graph, batch: Batch, tags: Mapping[str, str]
) -> dict[str, Any]:
    run_id, began = str(uuid.uuid4()), time.perf_counter()
    with opened(running=True) as instance, watched(instance, run_id):
        tags = {**tags, **batch.tags, **alerts.tell_start(run_id)}
        try:
            events = local_run.execute(instance, definitions, batch.assets, run_id, tags)
        except dg.DagsterExecutionInterruptedError:
            raise Interrupted from None
        success = any(event.event_type == SUCCESS for event in events)
        if interruption.is_interrupted() and not success:
            raise Interrupted
        alerts.tell_at_once(instance, run_id)
        tidy(instance)
    keys = [key for key in graph.toposorted_asset_keys if key in batch.assets]
    return {
        "success": success,
        "run_id": run_id,
        "seconds": round(time.perf_counter() - began, 3),
        "assets": [*outcomes(graph, keys, events)],
    }
