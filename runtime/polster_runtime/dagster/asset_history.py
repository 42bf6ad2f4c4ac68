"""What Dagster's history says of assets and runs, read once for a look of the sensor."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import NamedTuple

import dagster as dg

from polster_runtime.dagster.asset_keys import step_of_key
from polster_runtime.dagster.selection import Keys

SEEN = "dagster/input_event_pointer/"
"""The tag of a materialization that names the newest event of an upstream asset at its start."""
ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
RUNS_REMEMBERED = 64
PAGE = 1_000

_planned: dict[str, Keys] = {}
"""What the latest runs were going to materialize, which does not change."""


class Materialization(NamedTuple):
    """The latest one of an asset."""

    event: int
    """Its number in the history; later ones have larger numbers."""
    timestamp: float
    run_id: str
    tags: Mapping[str, str]

    def seen(self, upstream: dg.AssetKey) -> int:
        """The newest event of an upstream asset that this can know of.

        One that was reported without a run knows of all before it.
        """
        number = self.tags.get(SEEN + upstream.to_user_string())
        if number is None:
            return self.event
        return int(number) if number.isdecimal() else 0


class AssetHistory:
    """Reads what is asked for, and remembers it: one object is one moment."""

    def __init__(self, instance: dg.DagsterInstance, sensor: str) -> None:
        self._instance = instance
        self._sensor = sensor
        self._latest: dict[dg.AssetKey, Materialization | None] = {}
        self._started: dict[str, dict[str | None, float]] = {}

    def materialized_since(self, event: int) -> Keys | None:
        """The assets that were materialized after an event; None if they are too many to list."""
        wanted = dg.EventRecordsFilter(
            dg.DagsterEventType.ASSET_MATERIALIZATION, after_cursor=event
        )
        # The method of the instance itself does the same with a warning.
        records = self._instance.event_log_storage.get_event_records(wanted, limit=PAGE)
        keys = {record.asset_key for record in records if record.asset_key}
        return None if len(records) == PAGE else keys

    def load(self, keys: Iterable[dg.AssetKey]) -> None:
        """Read the latest materializations of several assets at once."""
        wanted = [key for key in keys if key not in self._latest]
        self._latest |= dict.fromkeys(wanted)
        for found in self._instance.get_asset_records(wanted) if wanted else ():
            entry = found.asset_entry
            if record := entry.last_materialization_record:
                tags = record.asset_materialization.tags if record.asset_materialization else None
                self._latest[entry.asset_key] = Materialization(
                    record.storage_id, record.timestamp, record.run_id, tags or {}
                )

    def latest(self, key: dg.AssetKey) -> Materialization | None:
        """The latest materialization of an asset."""
        self.load([key])
        return self._latest[key]

    def in_progress(self, key: dg.AssetKey) -> bool:
        """Whether a run that has not ended is going to materialize an asset."""
        latest = self.latest(key)
        done_in = latest.run_id if latest else ""
        return any(key in self._planned(run_id) for run_id in self._active if run_id != done_in)

    def has_tried(self, key: dg.AssetKey, upstream: Materialization) -> bool:
        """Whether a run has begun with an asset after this was there, however that ended."""
        found = self._instance.get_latest_planned_materialization_info(key)
        if found is None or found.storage_id > upstream.event:
            return found is not None
        started = self._steps_started(found.run_id).get(step_of_key(key))
        return started is not None and started > upstream.timestamp

    def is_left_to(self, run_id: str, key: dg.AssetKey) -> bool:
        """Whether a run was itself to materialize an asset, after what it has materialized.

        Not if the run failed elsewhere, before it came to the asset, and the sensor had asked
        for it: there an asset waits for all that failed, alone it would not.
        """
        if key not in self._planned(run_id):
            return False
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.status is not dg.DagsterRunStatus.FAILURE:
            return True
        asked = run.tags.get("dagster/sensor_name") == self._sensor
        return not asked or step_of_key(key) in self._steps_started(run_id)

    def is_blocking(self, check: dg.AssetCheckKey) -> bool:
        """Whether a blocking check has failed, or is about to be evaluated."""
        log = self._instance.event_log_storage
        found = log.get_asset_check_summary_records([check])[check]
        newest = found.last_check_execution_record
        if newest and newest.status.value == "PLANNED" and newest.run_id in self._active:
            return True
        result = found.last_completed_check_execution_record
        if result is None or result.event is None:
            return False
        data = result.event.get_dagster_event().asset_check_evaluation_data
        return not data.passed and data.severity is dg.AssetCheckSeverity.ERROR

    @cached_property
    def _active(self) -> AbstractSet[str]:
        runs = self._instance.get_run_records(dg.RunsFilter(statuses=ACTIVE))
        return {record.dagster_run.run_id for record in runs}

    def _planned(self, run_id: str) -> Keys:
        if run_id not in _planned:
            kind = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
            found = self._instance.get_records_for_run(run_id, of_type=kind).records
            events = [record.event_log_entry.get_dagster_event() for record in found]
            _planned[run_id] = {event.asset_key for event in events if event.asset_key}
            while len(_planned) > RUNS_REMEMBERED:
                del _planned[next(iter(_planned))]
        return _planned[run_id]

    def _steps_started(self, run_id: str) -> dict[str | None, float]:
        """When the steps of a run started."""
        if run_id not in self._started:
            kind = dg.DagsterEventType.STEP_START
            found = self._instance.get_records_for_run(run_id, of_type=kind).records
            entries = [record.event_log_entry for record in found]
            self._started[run_id] = {entry.step_key: entry.timestamp for entry in entries}
        return self._started[run_id]


def newest_event(instance: dg.DagsterInstance) -> int:
    """The number of the newest event; nothing has happened while it stays the same."""
    return instance.event_log_storage.get_maximum_record_id() or 0
