"""What became of each asset of a run, as its events tell."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from polster_runtime.assets.keys import name_of
from polster_runtime.dagster.asset_keys import asset_of_key, keys_of_steps, name_of_key
from polster_runtime.dagster.failures import reason
from polster_runtime.dagster.partition_runs import partitions_of
from polster_runtime.dagster.selection import Graph, Keys

METADATA = ("rejected", "seconds", "path")
ADDED = ("rows", "rejected", "seconds", "partitions")
"""What several partitions, and several runs, of an asset have together."""
WORST = ("failed", "skipped", "succeeded")

Outcome = dict[str, Any]
"""One asset: key, layer, name, status, rows, rejected, seconds, path, error, partitions, deps."""


def outcomes(
    graph: Graph, keys: Sequence[dg.AssetKey], events: Iterable[dg.DagsterEvent]
) -> Iterator[Outcome]:
    """What became of the assets of one run."""
    of_node: dict[str, list[dg.DagsterEvent]] = {}
    for event in events:
        of_node.setdefault((event.step_key or "").partition(".")[0], []).append(event)
    nodes = {key: node for node, several in keys_of_steps(graph).items() for key in several}
    blamed: dict[dg.AssetKey, str] = {}
    for key in keys:
        outcome = _outcome(
            key, of_node.get(nodes[key], []), 0 if partitions_of(graph, key) else None
        )
        if outcome["status"] == "skipped":
            reasons = {blamed[up] for up in graph.get(key).parent_keys if up in blamed}
            outcome["error"] = ", ".join(sorted(reasons))
            blamed[key] = outcome["error"]
        elif outcome["status"] == "failed":
            blamed[key] = f"{name_of_key(key)} failed"
        outcome["deps"] = sorted(up.to_user_string() for up in graph.get(key).parent_keys)
        yield outcome


def blocked(
    graph: Graph, keys: Keys, runs: Iterable[Mapping[str, Any]]
) -> dict[dg.AssetKey, Outcome]:
    """Those of some assets that depend on what the runs so far have not made."""
    blamed = {
        dg.AssetKey.from_user_string(asset["key"]): asset["error"]
        if asset["status"] == "skipped"
        else f"{name_of(asset['key'])} failed"
        for asset in together(run["assets"] for run in runs)
        if asset["status"] != "succeeded"
    }
    found: dict[dg.AssetKey, Outcome] = {}
    for key in graph.toposorted_asset_keys:
        parents = graph.get(key).parent_keys
        if key in keys and (reasons := {blamed[up] for up in parents if up in blamed}):
            deps = sorted(up.to_user_string() for up in parents)
            blamed[key] = ", ".join(sorted(reasons))
            found[key] = {**_outcome(key, [], None), "error": blamed[key], "deps": deps}
    return found


def together(runs: Iterable[Iterable[Outcome]]) -> list[Outcome]:
    """What became of the assets of several runs."""
    found: dict[str, Outcome] = {}
    for outcome in (outcome for run in runs for outcome in run):
        before = found.get(outcome["key"])
        found[outcome["key"]] = outcome if before is None else _added(before, outcome)
    return list(found.values())


def _added(one: Outcome, other: Outcome) -> Outcome:
    sums = {name: _sum(one[name], other[name]) for name in ADDED if name in other}
    worse = min(one, other, key=lambda outcome: WORST.index(outcome["status"]))
    return {**one, **other, **sums, "status": worse["status"], "error": worse["error"]}


def _sum(one: Any, other: Any) -> Any:
    return one if other is None else other if one is None else one + other


def _outcome(
    key: dg.AssetKey, events: Iterable[dg.DagsterEvent], partitions: int | None
) -> Outcome:
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
    if partitions is not None:
        outcome["partitions"] = partitions
    for event in events:
        if event.is_step_failure:
            outcome |= {"status": "failed", "error": reason(event.step_failure_data)}
        elif event.is_step_materialization and event.asset_key == key:
            found = event.step_materialization_data.materialization.metadata
            known = {"rows": "dagster/row_count", **{name: name for name in METADATA}}
            values = {name: found[key].value for name, key in known.items() if key in found}
            if partitions is not None:
                values |= {name: _sum(outcome.get(name), values.get(name)) for name in ADDED}
                values["partitions"] = outcome["partitions"] + 1
            outcome |= {"status": "succeeded", **values}
        elif event.is_step_success and outcome["seconds"] is None:
            outcome["seconds"] = round(event.step_success_data.duration_ms / 1000, 3)
    return outcome
