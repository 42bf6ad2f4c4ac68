"""The state of each asset: what its data says first, then Dagster's history.

An asset is `damaged` when its newest snapshot cannot be read, `missing` when it has run and its
data is gone, `failed` when its last run failed, `never` when it has no data and never ran, `stale`
when its data is too old or older than what it is made from, `fresh` otherwise. A project that has
lost its history still knows what it has.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from polster_runtime.assets.keys import name_of
from polster_runtime.config.logging import log
from polster_runtime.config.settings import settings
from polster_runtime.dagster.asset_keys import asset_of_key, keys_of_steps, name_of_key
from polster_runtime.dagster.instance import opened
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import StorageError
from polster_runtime.storage.cloud import pending, pending_folder
from polster_runtime.storage.inspection import Stored, inspect
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import is_snapshot

State = dict[str, Any]
"""One asset in the JSON of --status: key, status, last_materialized, rows, waiting, problem,
and partitions where it has any."""


@dataclass(frozen=True)
class _Known:
    """What is known of an asset."""

    key: dg.AssetKey
    asset: AssetId | None
    """None for one that is none of the layers'."""
    runs: bool
    """Whether Dagster can materialize it."""
    event: Any
    """Its last materialization in Dagster's history."""
    stored: Stored | None
    """What the store has; None where it was not asked, or cannot be reached."""
    failed: float
    """When it began to fail, in its last run; 0 where that did not fail."""
    oldest: float
    """When data that is not too old may have been made at the earliest."""
    partitions: dg.PartitionsDefinition[str] | None = None

    @property
    def is_missing(self) -> bool:
        """Whether it has run, and the snapshot that it published then is gone."""
        if self.stored is None or self.stored.path or self.event is None:
            return False
        path = self.event.asset_materialization.metadata.get("path")
        return path is not None and is_snapshot(str(path.value))

    @property
    def made(self) -> float:
        """When its data was made, in seconds since 1970; 0 where it has none."""
        if self.stored is not None and self.stored.path:
            return self.stored.written
        return 0.0 if self.event is None or self.is_missing else float(self.event.timestamp)

    @property
    def rows(self) -> int | None:
        """The rows that readers get."""
        if self.stored is not None and (self.stored.path or self.is_missing):
            return self.stored.rows
        found = self.event and self.event.asset_materialization.metadata.get("dagster/row_count")
        return int(found.value) if found else None

    @property
    def parts(self) -> dict[str, Any] | None:
        """How many of its partitions have data, of how many, and the latest of them."""
        if self.partitions is None:
            return None
        there = {*self.stored.partitions} if self.stored else set[str]()
        every = self.partitions.get_partition_keys()
        done = [key for key in every if key in there]  # in their order, whatever keys look like
        return {"done": len(done), "all": len(every), "latest": done[-1] if done else None}

    @property
    def problem(self) -> str | None:
        """What is wrong with its data, and what to do."""
        if self.stored is not None and self.stored.problem:
            return self.stored.problem
        if self.is_missing:
            return f"it has run, and its data is gone: polster run --asset {self.asset}"
        return None

    def status(self, parents: Iterable["_Known"]) -> str:
        """Its state in a word."""
        if self.stored is not None and self.stored.problem:
            return "damaged"
        if self.is_missing:
            return "missing"
        if self.failed > self.made:
            return "failed"
        if not self.made:
            return "never" if self.runs else "external"
        newest = max((one.made for one in parents), default=0.0)
        return "stale" if self.made < max(newest, self.oldest) else "fresh"


def states(definitions: dg.Definitions) -> list[State]:
    """The state of each asset that Dagster knows, in the order of flow.

    Raises SettingsError. Where the store cannot be asked, Dagster's history alone tells.
    """
    graph = definitions.resolve_asset_graph()
    with opened() as instance:
        records = instance.get_asset_records(list(graph.get_all_asset_keys()))
        entries = {record.asset_entry.asset_key: record.asset_entry for record in records}
        failed = _failed(instance, graph, entries)
    stored, waiting = _stored(graph.toposorted_asset_keys), _waiting_files()
    known: dict[dg.AssetKey, _Known] = {}
    now, found = time.time(), settings()
    oldest = {layer: now - found.max_age_hours_of(layer) * 3600 for layer in LAYERS}
    for key in graph.toposorted_asset_keys:
        asset, entry = asset_of_key(key), entries.get(key)
        known[key] = _Known(
            key=key,
            asset=asset,
            runs=key in graph.materializable_asset_keys,
            event=entry.last_materialization if entry else None,
            stored=stored.get(asset) if asset else None,
            failed=failed.get(key, 0.0),
            oldest=oldest[asset.layer] if asset else 0.0,
            partitions=graph.get(key).partitions_def if asset else None,
        )
    return [
        _state(one, [known[up] for up in graph.get(one.key).parent_keys], waiting)
        for one in known.values()
    ]


def _stored(keys: Iterable[dg.AssetKey]) -> Mapping[AssetId, Stored]:
    assets = [asset for key in keys if (asset := asset_of_key(key))]
    try:
        return inspect(store(), assets) if assets else {}
    except StorageError as error:
        log.warning(f"the data cannot be looked at, this is Dagster's history alone: {error}")
        return {}


def _failed(
    instance: dg.DagsterInstance, graph: Any, entries: Mapping[dg.AssetKey, Any]
) -> Mapping[dg.AssetKey, float]:
    """When the assets began to fail that failed in the last run that had them."""
    suspects = {entry.last_run_id for entry in entries.values() if not _last_run_succeeded(entry)}
    steps = keys_of_steps(graph)
    failed: dict[dg.AssetKey, float] = {}
    for run_id in suspects - {None}:
        run = instance.get_run_by_id(run_id)
        if run is None or not run.is_finished:
            continue
        # A step that began and made nothing has failed, also where its process was ended.
        began = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_START)
        for record in began.records:
            for key in steps.get((record.event_log_entry.step_key or "").partition(".")[0], ()):
                entry = entries.get(key)
                if entry and entry.last_run_id == run_id and _time(entry) < record.timestamp:
                    failed[key] = record.timestamp
    return {**failed, **dict(_failed_partitions(instance, graph, entries, steps))}


def _failed_partitions(
    instance: dg.DagsterInstance,
    graph: Any,
    entries: Mapping[dg.AssetKey, Any],
    steps: Mapping[str, list[dg.AssetKey]],
) -> Iterator[tuple[dg.AssetKey, float]]:
    """The assets of which a run made some partitions and not the others."""
    known = {key: entry for key, entry in entries.items() if graph.get(key).partitions_def}
    for run_id in {entry.last_run_id for entry in known.values()} - {None}:
        over = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        for record in over.records:
            for key in steps.get((record.event_log_entry.step_key or "").partition(".")[0], ()):
                if key in known and known[key].last_run_id == run_id:
                    yield key, record.timestamp


def _last_run_succeeded(entry: Any) -> bool:
    event = entry.last_materialization
    return event is not None and event.run_id == entry.last_run_id


def _time(entry: Any) -> float:
    return entry.last_materialization.timestamp if entry.last_materialization else 0.0


def _waiting_files() -> Mapping[str, int]:
    """How many files of each asset wait for the cloud."""
    return Counter("_".join(file.relative_to(pending_folder()).parts[:2]) for file in pending())


def _state(one: _Known, parents: Iterable[_Known], waiting: Mapping[str, int]) -> State:
    return {
        "key": one.key.to_user_string(),
        "status": one.status(parents),
        "last_materialized": _iso(one.made) if one.made else None,
        "rows": one.rows,
        "waiting": waiting.get(name_of_key(one.key), 0),
        "problem": one.problem,
        **({"partitions": one.parts} if one.parts else {}),
    }


def _iso(timestamp: float) -> str:
    when = datetime.fromtimestamp(timestamp, UTC)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def table(states: list[State]) -> str:
    """The states in aligned columns, under the name of the environment."""
    width = max([24, *(len(name_of(state["key"])) + 2 for state in states)])
    rows = [
        f"{name_of(state['key']):<{width}}{state['status']:<9}"
        f"{_count(state['rows']):>11}   {state['last_materialized'] or '':<20}   "
        f"{_parts_text(state.get('partitions'))}".rstrip()
        for state in states
    ]
    head = f"{'ASSET':<{width}}{'STATUS':<9}{'ROWS':>11}   LAST MATERIALIZED"
    return "\n".join([f"environment {settings().env}", head, *rows, *_remarks(states)])


def _remarks(states: list[State]) -> Iterator[str]:
    """What is wrong with the data, and what the cloud has not got yet."""
    for state in states:
        if state["problem"]:
            yield f"\n{name_of(state['key'])}: {state['problem']}"
        if state["waiting"]:
            files = "1 file waits" if state["waiting"] == 1 else f"{state['waiting']} files wait"
            yield f"\n{name_of(state['key'])}: {files} in data/.pending for the cloud"


def _parts_text(parts: Mapping[str, Any] | None) -> str:
    if parts is None:
        return ""
    latest = f", latest {parts['latest']}" if parts["latest"] else ""
    return f"{parts['done']:,} of {parts['all']:,} partitions{latest}"


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"
