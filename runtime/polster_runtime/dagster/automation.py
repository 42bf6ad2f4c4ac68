"""When assets run by themselves.

AUTOMATION_ENABLED=false turns both the schedule and the sensor off.
"""

from collections.abc import Iterable

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.dagster.local_run import JOB
from polster_runtime.dagster.selection import Keys
from polster_runtime.dagster.upstream_sensor import SENSOR, look
from polster_runtime.domain.layers import LAYERS
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
"""What silver and gold have: run as soon as the upstream assets have succeeded.

Dagster evaluates conditions for all assets every few seconds. An asset that has just this one is
left to a sensor that looks at what has happened; in a condition made of it Dagster evaluates it.
"""


ON_PARTITION_SUCCESS = _condition.eager().without(_condition.in_latest_time_window())
"""What stands for ON_UPSTREAM_SUCCESS where an asset has partitions: each runs as soon as that of
its upstream assets has succeeded, also one of long ago. Dagster evaluates it."""


def source_retry() -> dg.RetryPolicy:
    """How a bronze asset is tried again: SOURCE_RETRIES times, waiting twice as long each time."""
    return dg.RetryPolicy(
        max_retries=settings().source_retries,
        delay=settings().source_retry_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
        jitter=dg.Jitter.PLUS_MINUS,
    )


def bronze_schedule(bronze: Iterable[dg.AssetKey] | None = None) -> dg.ScheduleDefinition:
    """Bronze at BRONZE_CRON, in TIMEZONE: the assets named, or those of the group bronze.

    Raises SettingsError when one of these settings is wrong.
    """
    running, stopped = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
    cron, timezone = settings().bronze_cron, settings().timezone
    try:
        return dg.ScheduleDefinition(
            name="bronze_daily",
            target=dg.AssetSelection.groups(LAYERS[0])
            if bronze is None
            else dg.AssetSelection.assets(*bronze),
            cron_schedule=cron,
            execution_timezone=timezone,
            default_status=running if settings().automation_enabled else stopped,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise SettingsError(f"BRONZE_CRON={cron} TIMEZONE={timezone}: {error}") from None


def sensors(specs: Iterable[dg.AssetSpec]) -> list[dg.SensorDefinition]:
    """The sensors that start assets: ours, and Dagster's for conditions that the team wrote."""
    conditions = {
        spec.key: ON_PARTITION_SUCCESS
        if spec.partitions_def and spec.automation_condition is ON_UPSTREAM_SUCCESS
        else spec.automation_condition
        for spec in specs
    }
    ours = frozenset(
        key for key, condition in conditions.items() if condition is ON_UPSTREAM_SUCCESS
    )
    others = [key for key, condition in conditions.items() if condition and key not in ours]
    found: list[dg.SensorDefinition] = [medallion_sensor(ours)]
    if others:
        found.append(
            dg.AutomationConditionSensorDefinition(
                name="automation_conditions",
                target=dg.AssetSelection.assets(*others),
                minimum_interval_seconds=settings().sensor_seconds,
                default_status=_sensor_status(),
            )
        )
    return found


def condition_of(spec: dg.AssetSpec) -> dg.AutomationCondition[dg.AssetKey] | None:
    """The condition of an asset that Dagster is to evaluate: not ON_UPSTREAM_SUCCESS."""
    if spec.automation_condition is not ON_UPSTREAM_SUCCESS:
        return spec.automation_condition
    return ON_PARTITION_SUCCESS if spec.partitions_def else None


def medallion_sensor(automatic: Keys | None = None) -> dg.SensorDefinition:
    """Silver and gold as soon as what they depend on has succeeded: the assets named.

    Without them Dagster evaluates the conditions of all assets, for the definitions of a team that
    leave ON_UPSTREAM_SUCCESS on them.
    """
    if automatic is None:
        return dg.AutomationConditionSensorDefinition(
            name=SENSOR,
            target=dg.AssetSelection.all(),
            minimum_interval_seconds=settings().sensor_seconds,
            default_status=_sensor_status(),
        )
    return dg.SensorDefinition(
        name=SENSOR,
        description="Runs silver and gold assets as soon as their upstream assets have new data.",
        job_name=JOB,
        evaluation_fn=lambda context: look(context, automatic),
        # Dagster looks at its sensors every five seconds: one that were due a millisecond later
        # would be passed over.
        minimum_interval_seconds=max(1, settings().sensor_seconds - 1),
        default_status=_sensor_status(),
    )


def _sensor_status() -> dg.DefaultSensorStatus:
    running, stopped = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
    return running if settings().automation_enabled else stopped
