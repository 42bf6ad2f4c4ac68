"""Telling listeners, and with them the alerts, how runs end and which data is overdue.

The sensors tell of runs that the daemon started, and of those that were killed; a run of
run_polster.py tells by itself.
"""

import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.dagster.asset_keys import asset_of_key, name_of_key
from polster_runtime.dagster.failures import reason
from polster_runtime.domain.asset_id import AssetId, name_of
from polster_runtime.execution.events import Run, RunListener, is_followed, tell

TOLD, START_TOLD = "alerts/told", "alerts/start_told"
"""The tags of a run that was told: the id of the run, since re-executions inherit its tags."""
BEGUN = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_RESTARTED}
OVER = {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}
OVERDUE_SECONDS = 60
"""How often data is looked at for being overdue."""

log = logging.getLogger("core.alerts")


def alert_sensors() -> Sequence[dg.SensorDefinition]:
    """The sensors that watch; stopped where there is nobody to tell."""
    status = dg.DefaultSensorStatus.RUNNING if is_heard() else dg.DefaultSensorStatus.STOPPED
    watched = {
        "alert_failed_run": (dg.DagsterRunStatus.FAILURE, _failed),
        "alert_failed_check": (dg.DagsterRunStatus.SUCCESS, _succeeded),
    }
    if is_followed():  # alerts do not tell of it
        watched["tell_started_run"] = (dg.DagsterRunStatus.STARTED, _started)
    sensors = [
        dg.run_status_sensor(
            name=name, run_status=ended, default_status=status, minimum_interval_seconds=15
        )(act)
        for name, (ended, act) in watched.items()
    ]
    overdue = dg.sensor(
        name="alert_overdue_data", default_status=status, minimum_interval_seconds=OVERDUE_SECONDS
    )
    return [*sensors, overdue(_overdue)]


def is_heard() -> bool:
    """Whether there is anybody to tell: a channel of ALERT_URLS, or a plugin's listener."""
    return bool(settings().alert_urls) or is_followed()


def tell_start(run_id: str) -> dict[str, str]:
    """Tell of a run that this process is about to start; return the tags that it has to get."""
    if not is_followed():
        return {}
    run = _run(run_id)
    tell(lambda listener: listener.run_started(run))
    return {START_TOLD: run_id}


def tell_at_once(instance: dg.DagsterInstance, run_id: str) -> None:
    """Tell how a run of this process ended.

    Whatever goes wrong with that is logged: no run fails because of it.
    """
    if not is_heard():
        return
    try:
        claim(instance, run_id)
        _tell_end(instance, _run(run_id, in_terminal=sys.stderr.isatty()))
    except Exception as error:
        log.warning("no alert could be sent: %s: %s", type(error).__name__, error)


def claim(instance: dg.DagsterInstance, run_id: str) -> None:
    """Leave a run out of what the sensors tell: this process will tell how it ended."""
    if is_heard():
        instance.add_run_tags(run_id, {TOLD: run_id})


def tell_failure(instance: dg.DagsterInstance, run_id: str, why: str) -> None:
    """Tell that a run failed; `why` stands for what was under way, or for all where nothing was."""
    lines = [*failures_of(instance, run_id)]
    lines += [f"{asset}: {why}" for asset in unfinished_of(instance, run_id)]
    run, reasons = _run(run_id), lines or [why]
    tell(lambda listener: listener.run_failed(run, reasons))


def failures_of(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """The assets that failed in a run, each with the first line of why."""
    for record in instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.STEP_FAILURE
    ).records:
        event = record.event_log_entry.get_dagster_event()
        why = reason(event.step_failure_data).partition("\n")[0]
        yield f"{name_of((event.step_key or '').partition('.')[0])}: {why}"


def unfinished_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """The assets that were under way when a run was killed."""
    begun, over = set[str](), set[str]()
    for entry in instance.all_logs(run_id, of_type=BEGUN | OVER):
        event = entry.get_dagster_event()
        (begun if event.event_type in BEGUN else over).add(event.step_key or "")
    return sorted(name_of(key.partition(".")[0]) for key in begun - over)


def failed_checks_of(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """The checks that failed in a run, each with what it found."""
    for record in instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records:
        found = record.event_log_entry.get_dagster_event().asset_check_evaluation_data
        if not found.passed and not _is_lasting(found):
            details = ", ".join(f"{name} {value.value}" for name, value in found.metadata.items())
            name = name_of_key(found.asset_key)
            yield f"{name}: {found.check_name} {found.description or details}"


def _is_lasting(found: dg.AssetCheckEvaluation) -> bool:
    """Whether it says no more than last night: nobody wants to hear daily of a missing contract."""
    return found.check_name == "contract" and found.severity == dg.AssetCheckSeverity.WARN


def _tell_end(instance: dg.DagsterInstance, run: Run) -> None:
    """Tell of a run whose steps have all ended: it failed if one of them did."""
    if failed := [*failures_of(instance, run.id)]:
        tell(lambda listener: listener.run_failed(run, failed))
        return
    tell(lambda listener: listener.run_finished(run))
    if found := [*failed_checks_of(instance, run.id)]:
        tell(lambda listener: listener.checks_failed(run, found))


def _started(context: dg.RunStatusSensorContext) -> None:
    run = context.dagster_run
    if run.tags.get(START_TOLD) != run.run_id:
        told = _run(run.run_id)
        tell(lambda listener: listener.run_started(told))


def _failed(context: dg.RunStatusSensorContext) -> None:
    run = context.dagster_run
    if run.tags.get(TOLD) != run.run_id:
        why = context.dagster_event.message or "it could not start"
        tell_failure(context.instance, run.run_id, why)


def _succeeded(context: dg.RunStatusSensorContext) -> None:
    run = context.dagster_run
    if run.tags.get(TOLD) != run.run_id:
        _tell_end(context.instance, _run(run.run_id))


def _overdue(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Tell once when an asset is overdue, and again only after it has been fresh."""
    told, found = set(json.loads(context.cursor or "[]")), [*_overdue_assets(context)]
    for one in sorted(found, key=lambda one: str(one[0])):
        if str(one[0]) not in told:
            tell(partial(_tell_overdue, *one))
    return dg.SensorResult(cursor=json.dumps(sorted(str(asset) for asset, _, _ in found)))


def _overdue_assets(context: dg.SensorEvaluationContext) -> Iterator[tuple[AssetId, float, float]]:
    repository: Any = context.repository_def
    keys = list(repository.asset_graph.materializable_asset_keys)
    for record in context.instance.get_asset_records(keys):
        entry = record.asset_entry
        asset = asset_of_key(entry.asset_key)
        if asset is None or entry.last_materialization is None:
            continue
        allowed = settings().max_age_hours_of(asset.layer)
        hours = (time.time() - entry.last_materialization.timestamp) / 3600
        if hours > allowed:
            yield asset, hours, allowed


def _tell_overdue(asset: AssetId, hours: float, allowed: float, listener: RunListener) -> None:
    listener.overdue(asset, hours, allowed)


def _run(run_id: str, *, in_terminal: bool = False) -> Run:
    return Run(run_id, f"{settings().ui_url.rstrip('/')}/runs/{run_id}", in_terminal)
