"""When the latest partitions of bronze assets are loaded.

Daily and longer ones at BRONZE_CRON, the first time after they have ended; hourly ones when they
end; those of no time, each of them, at BRONZE_CRON.
"""

from collections.abc import Iterable, Iterator

import dagster as dg

from polster_runtime.config.settings import settings

DAY = 86_400.0


def partition_schedules(bronze: Iterable[dg.AssetSpec]) -> list[dg.ScheduleDefinition]:
    """One schedule for the bronze assets that have the same partitions."""
    keys: dict[dg.PartitionsDefinition[str], list[dg.AssetKey]] = {}
    for spec in bronze:
        if spec.partitions_def is not None:
            keys.setdefault(spec.partitions_def, []).append(spec.key)
    return [
        _schedule(f"bronze_partitions_{number}" if number > 1 else "bronze_partitions", own, assets)
        for number, (own, assets) in enumerate(keys.items(), start=1)
    ]


def _schedule(
    name: str, own: dg.PartitionsDefinition[str], assets: list[dg.AssetKey]
) -> dg.ScheduleDefinition:
    running, stopped = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        yield from _requests(own, context)

    return dg.ScheduleDefinition(
        name=name,
        job=dg.define_asset_job(name, dg.AssetSelection.assets(*assets)),
        cron_schedule=_cron(own),
        execution_timezone=settings().timezone,
        execution_fn=requests,
        default_status=running if settings().automation_enabled else stopped,
    )


def _requests(
    own: dg.PartitionsDefinition[str], context: dg.ScheduleEvaluationContext
) -> Iterator[dg.RunRequest]:
    if not isinstance(own, dg.TimeWindowPartitionsDefinition):
        tick = context.scheduled_execution_time.isoformat()
        for key in own.get_partition_keys():
            yield dg.RunRequest(run_key=f"{tick} {key}", partition_key=key)
        return
    with dg.partition_loading_context(context.scheduled_execution_time):
        latest = own.get_last_partition_key()
    if latest is not None:
        yield dg.RunRequest(run_key=latest, partition_key=latest)  # each key once


def _cron(own: dg.PartitionsDefinition[str]) -> str:
    if isinstance(own, dg.TimeWindowPartitionsDefinition) and own.get_first_partition_key():
        window = own.time_window_for_partition_key(str(own.get_first_partition_key()))
        if (window.end - window.start).total_seconds() < DAY / 2:
            return own.cron_schedule
    return settings().bronze_cron
