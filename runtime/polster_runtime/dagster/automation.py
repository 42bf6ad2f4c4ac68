"""When assets run by themselves.

AUTOMATION_ENABLED=false turns both the schedule and the sensor off.
"""

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.errors import SettingsError

_condition = dg.AutomationCondition
_can_start = (
    ~_condition.any_deps_missing() & ~_condition.any_deps_in_progress() & ~_condition.in_progress()
)

# eager() alone never starts for assets whose upstream ran before the daemon first looked.
_never_ran = _condition.missing() & ~_condition.execution_failed()

# Nor does it when an upstream runs again while the asset runs, or before the next look at it.
_newly_updated = _condition.newly_updated()
_overtaken = (_condition.any_deps_updated() & _condition.in_progress()) | (
    _condition.any_deps_match(_newly_updated).since(_newly_updated) & _newly_updated
)

ON_UPSTREAM_SUCCESS = _condition.eager() | (
    (_never_ran | _overtaken.since(_condition.newly_requested())) & _can_start
)


def source_retry() -> dg.RetryPolicy:
    """How a bronze asset is tried again: SOURCE_RETRIES times, waiting twice as long each time."""
    return dg.RetryPolicy(
        max_retries=settings().source_retries,
        delay=settings().source_retry_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
        jitter=dg.Jitter.PLUS_MINUS,
    )


def bronze_schedule() -> dg.ScheduleDefinition:
    """Bronze at BRONZE_CRON, in TIMEZONE. Raises SettingsError when one of them is none."""
    running, stopped = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
    cron, timezone = settings().bronze_cron, settings().timezone
    try:
        return dg.ScheduleDefinition(
            name="bronze_daily",
            target=dg.AssetSelection.groups("bronze"),
            cron_schedule=cron,
            execution_timezone=timezone,
            default_status=running if settings().automation_enabled else stopped,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise SettingsError(f"BRONZE_CRON={cron} TIMEZONE={timezone}: {error}") from None


def medallion_sensor() -> dg.AutomationConditionSensorDefinition:
    """Silver and gold as soon as what they depend on has succeeded."""
    running, stopped = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
    return dg.AutomationConditionSensorDefinition(
        name="medallion",
        target=dg.AssetSelection.all(),
        minimum_interval_seconds=settings().sensor_seconds,
        default_status=running if settings().automation_enabled else stopped,
    )
