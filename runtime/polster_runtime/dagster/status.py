"""The state of each asset, from Dagster's event log."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.cloud import pending

State = dict[str, Any]
"""One asset in the JSON of --status: key, status, last_materialized, rows, failed_checks."""


def states(definitions: dg.Definitions) -> list[State]:
    """For each asset: never run, failed, stale (old, or older than its upstream data) or fresh."""
    graph = definitions.resolve_asset_graph()
    with dg.DagsterInstance.get() as instance:
        records = instance.get_asset_records(list(graph.materializable_asset_keys))
        entries = {record.asset_entry.asset_key: record.asset_entry for record in records}
        failed = _failed(instance, entries.values())
    return [
        _state(
            key,
            entries.get(key),
            [entries.get(up) for up in graph.get(key).parent_keys],
            key in failed,
        )
        for key in graph.toposorted_asset_keys
    ]


def _failed(instance: dg.DagsterInstance, entries: Iterable[Any]) -> set[dg.AssetKey]:
    """The assets that failed in the last run that had them, and have not succeeded since."""
    made = {entry.asset_key.to_python_identifier(): entry for entry in entries}
    suspects = {entry.last_run_id for entry in made.values() if not _last_run_succeeded(entry)}
    failed = set()
    for run_id in suspects - {None}:
        run = instance.get_run_by_id(run_id)
        if run is None or not run.is_finished:
            continue
        # A step that began and made nothing has failed, also where its process was ended.
        began = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_START)
        for record in began.records:
            entry = made.get(record.event_log_entry.step_key or "")
            if entry and entry.last_run_id == run_id and _time(entry) < record.timestamp:
                failed.add(entry.asset_key)
    return failed


def _state(key: dg.AssetKey, entry: Any, upstream: list[Any], failed: bool) -> State:
    event = entry.last_materialization if entry else None
    rows = event.asset_materialization.metadata.get("dagster/row_count") if event else None
    return {
        "key": key.to_user_string(),
        "status": "failed" if failed else _status(key, entry, [_time(up) for up in upstream]),
        "last_materialized": _iso(event.timestamp) if event else None,
        "rows": rows.value if rows else None,
        "waiting": sum(1 for _ in pending(AssetId.parse(key.to_user_string()))),
    }


def _status(key: dg.AssetKey, entry: Any, parents: list[float]) -> str:
    when = _time(entry)
    if not when:
        return "never"
    allowed = settings().max_age_hours_of(AssetId.parse(key.to_user_string()).layer)
    too_old = time.time() - when > allowed * 3600
    return "stale" if too_old or any(parent > when for parent in parents) else "fresh"


def _last_run_succeeded(entry: Any) -> bool:
    event = entry.last_materialization
    return event is not None and event.run_id == entry.last_run_id


def _time(entry: Any) -> float:
    return entry.last_materialization.timestamp if entry and entry.last_materialization else 0.0


def _iso(timestamp: float) -> str:
    when = datetime.fromtimestamp(timestamp, UTC)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def table(states: list[State]) -> str:
    """The states in aligned columns, under the name of the environment."""
    width = max([24, *(len(state["key"]) - 2 for state in states)])
    rows = [
        f"{AssetId.parse(state['key'])!s:<{width}}{state['status']:<8}"
        f"{_count(state['rows']):>12}   {state['last_materialized'] or ''}".rstrip()
        for state in states
    ]
    head = f"{'ASSET':<{width}}{'STATUS':<8}{'ROWS':>12}   LAST MATERIALIZED"
    return "\n".join([f"environment {settings().env}", head, *rows, *_waiting(states)])


def _waiting(states: list[State]) -> Iterator[str]:
    """What the cloud has not got yet."""
    for state in states:
        if state["waiting"]:
            files = "1 file waits" if state["waiting"] == 1 else f"{state['waiting']} files wait"
            yield f"\n{AssetId.parse(state['key'])}: {files} in data/.pending for the cloud"


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"
