"""Telling somebody of failed runs, failed checks, overdue data.

ALERT_URLS names the channels, separated by spaces or commas, in the form of Apprise: mailto://,
slack://, msteams://, json:// for a webhook, and a hundred more. Without it nobody is told. The
sensors tell of runs that the daemon started; a run of run_polster.py tells by itself.
"""

import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.dagster.asset_keys import asset_of_key, name_of_key
from polster_runtime.dagster.failures import reason
from polster_runtime.domain.asset_id import name_of

TOLD = "alerts/told"
"""The tag of a run that was told: the id of the run, since re-executions inherit its tags."""
BEGUN = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_RESTARTED}
OVER = {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}
RUNNING, STOPPED = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
OVERDUE_SECONDS = 60
"""How often data is looked at for being overdue."""

log = logging.getLogger("core.alerts")


def alert_sensors() -> Sequence[dg.SensorDefinition]:
    """The sensors that watch; stopped where there is nobody to tell."""
    status = RUNNING if settings().alert_urls else STOPPED
    return [
        dg.run_status_sensor(
            name="alert_failed_run",
            run_status=dg.DagsterRunStatus.FAILURE,
            default_status=status,
            minimum_interval_seconds=15,
        )(_failed_run),
        dg.run_status_sensor(
            name="alert_failed_check",
            run_status=dg.DagsterRunStatus.SUCCESS,
            default_status=status,
            minimum_interval_seconds=15,
        )(_failed_checks),
        dg.sensor(
            name="alert_overdue_data",
            default_status=status,
            minimum_interval_seconds=OVERDUE_SECONDS,
        )(_overdue),
    ]


def tell(title: str, body: str) -> None:
    """Send a message to every channel; one that is down is logged."""
    import apprise  # here: it is slow to import, and only needed when something went wrong

    logging.getLogger("apprise").disabled = True  # it would log what stands in the address
    for number, url in enumerate(settings().alert_urls.replace(",", " ").split(), start=1):
        # The address may hold a secret: a channel is named by its place alone.
        try:
            one = apprise.Apprise()
            sent = one.add(url) and one.notify(
                title=f"[{settings().env}] {title}",
                body=body,
                notify_type=apprise.NotifyType.FAILURE,
            )
        except Exception as error:
            log.warning("alert channel %d: %s", number, type(error).__name__)
            continue
        if not sent:
            log.warning("alert channel %d of ALERT_URLS could not be reached", number)


def tell_at_once(instance: dg.DagsterInstance, run_id: str) -> None:
    """Tell of a run of this process, unless there is a terminal that shows what went wrong.

    Whatever goes wrong with that is logged: no run fails because of it.
    """
    if not settings().alert_urls:
        return
    try:
        _tell_at_once(instance, run_id)
    except Exception as error:
        log.warning("no alert could be sent: %s: %s", type(error).__name__, error)


def _tell_at_once(instance: dg.DagsterInstance, run_id: str) -> None:
    if failed := [*failures_of(instance, run_id)]:
        title, found = "run failed", failed
    else:
        title, found = "check failed", [*failed_checks_of(instance, run_id)]
    instance.add_run_tags(run_id, {TOLD: run_id})
    if found and not sys.stderr.isatty():
        tell(title, _body(found, run_id))


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


def _failed_run(context: dg.RunStatusSensorContext) -> None:
    run = context.dagster_run
    if run.tags.get(TOLD) != run.run_id:
        why = context.dagster_event.message or "it could not start"
        lines = [*failures_of(context.instance, run.run_id)]
        lines += [f"{asset}: {why}" for asset in unfinished_of(context.instance, run.run_id)]
        tell("run failed", _body(lines or [why], run.run_id))


def _failed_checks(context: dg.RunStatusSensorContext) -> None:
    run = context.dagster_run
    if run.tags.get(TOLD) != run.run_id and (
        lines := [*failed_checks_of(context.instance, run.run_id)]
    ):
        tell("check failed", _body(lines, run.run_id))


def _overdue(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Tell once when an asset is overdue, and again only after it has been fresh."""
    told = set(json.loads(context.cursor or "[]"))
    overdue = dict(_overdue_assets(context))
    for name in sorted(overdue.keys() - told):
        tell("data is overdue", f"{name}: {overdue[name]}")
    return dg.SensorResult(cursor=json.dumps(sorted(overdue)))


def _overdue_assets(context: dg.SensorEvaluationContext) -> Iterator[tuple[str, str]]:
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
            yield str(asset), f"last materialized {hours:.1f} h ago, {allowed:g} h are allowed"


def _body(lines: list[str], run_id: str) -> str:
    return "\n".join([*lines, f"{settings().ui_url.rstrip('/')}/runs/{run_id}"])
