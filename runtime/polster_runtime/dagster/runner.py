"""Run assets in this process; Dagster's event log keeps what happened."""

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import dagster as dg

from polster_runtime.config import interruption
from polster_runtime.dagster import alerts, local_run
from polster_runtime.dagster.asset_keys import asset_of_key, keys_of_steps, name_of_key
from polster_runtime.dagster.failed import failed_last_time
from polster_runtime.dagster.failures import reason
from polster_runtime.dagster.instance import opened
from polster_runtime.dagster.old_runs import tidy
from polster_runtime.dagster.recovery import watched
from polster_runtime.dagster.selection import Graph, runnable, select
from polster_runtime.dagster.steps import FULL_REFRESH
from polster_runtime.storage.staging import sweep

METADATA = ("rejected", "seconds", "path")
SUCCESS = dg.DagsterEventType.RUN_SUCCESS

Outcome = dict[str, Any]
"""One asset of a run: key, layer, name, status, rows, rejected, seconds, path, error, deps."""


class Interrupted(Exception):
    """The run was told to stop; what was published before stays."""


def run(
    definitions: dg.Definitions,
    names: Sequence[str] = (),
    expression: str | None = None,
    *,
    failed: bool = False,
    full_refresh: bool = False,
) -> dict[str, Any]:
    """Run the named assets, those of a selection, or all, and tell what became of each.

    Or what `failed` last time: that may be none, and then there is no run.

    Raises UnknownAsset, HistoryError and Interrupted.
    """
    graph = definitions.resolve_asset_graph()
    if failed:
        with opened(running=True) as instance:
            selected = runnable(graph, failed_last_time(instance, graph))
        if not selected:
            return {"success": True, "run_id": None, "seconds": 0.0, "assets": []}
    else:
        selected = select(graph, names, expression)
    sweep()
    run_id, began = str(uuid.uuid4()), time.perf_counter()
    tags = {FULL_REFRESH: "true"} if full_refresh else {}
    with opened(running=True) as instance, watched(instance, run_id):
        tags |= alerts.tell_start(run_id)
        try:
            events = local_run.execute(instance, definitions, selected, run_id, tags)
        except dg.DagsterExecutionInterruptedError:
            raise Interrupted from None
        success = any(event.event_type == SUCCESS for event in events)
        if interruption.is_interrupted() and not success:
            raise Interrupted
        alerts.tell_at_once(instance, run_id)
        tidy(instance)
    keys = [key for key in graph.toposorted_asset_keys if key in selected]
    return {
        "success": success,
        "run_id": run_id,
        "seconds": round(time.perf_counter() - began, 3),
        "assets": [*_outcomes(graph, keys, events)],
    }


def _outcomes(
    graph: Graph, keys: Sequence[dg.AssetKey], events: Iterable[dg.DagsterEvent]
) -> Iterator[Outcome]:
    of_node: dict[str, list[dg.DagsterEvent]] = {}
    for event in events:
        of_node.setdefault((event.step_key or "").partition(".")[0], []).append(event)
    nodes = {key: node for node, several in keys_of_steps(graph).items() for key in several}
    blamed: dict[dg.AssetKey, str] = {}
    for key in keys:
        outcome = _outcome(key, of_node.get(nodes[key], []))
        if outcome["status"] == "skipped":
            reasons = {blamed[up] for up in graph.get(key).parent_keys if up in blamed}
            outcome["error"] = ", ".join(sorted(reasons))
            blamed[key] = outcome["error"]
        elif outcome["status"] == "failed":
            blamed[key] = f"{name_of_key(key)} failed"
        outcome["deps"] = sorted(up.to_user_string() for up in graph.get(key).parent_keys)
        yield outcome


def _outcome(key: dg.AssetKey, events: Iterable[dg.DagsterEvent]) -> Outcome:
    asset = asset_of_key(key)
    outcome: Outcome = {
        "key": key.to_user_string(),
        "layer": asset.layer if asset else None,
        "name": asset.name if asset else key.to_user_string(),
        "status": "skipped",
        "rows": None,
        "rejected": None,
        "seconds": None,
        "path": None,
        "error": None,
    }
    for event in events:
        if event.is_step_failure:
            outcome |= {"status": "failed", "error": reason(event.step_failure_data)}
        elif event.is_step_materialization and event.asset_key == key:
            found = event.step_materialization_data.materialization.metadata
            known = {"rows": "dagster/row_count", **{name: name for name in METADATA}}
            outcome["status"] = "succeeded"
            outcome |= {name: found[key].value for name, key in known.items() if key in found}
        elif event.is_step_success and outcome["seconds"] is None:
            outcome["seconds"] = round(event.step_success_data.duration_ms / 1000, 3)
    return outcome
