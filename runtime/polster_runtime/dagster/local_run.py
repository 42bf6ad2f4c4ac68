"""A run in this process: created in Dagster's history, then executed in threads.

That is so whatever executor runs the steps of the daemon's and the UI's runs.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import dagster as dg

from polster_runtime.dagster import private
from polster_runtime.dagster.executor import threads_executor
from polster_runtime.dagster.launch import job_origin

JOB = "all_assets"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def execute(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    selection: AbstractSet[dg.AssetKey],
    run_id: str,
    tags: Mapping[str, str],
) -> Sequence[dg.DagsterEvent]:
    """Run assets, and return what happened. Steps that fail do not raise."""
    job = _job(definitions, selection)
    events, in_memory = private.find(private.RUN_EVENTS), private.find(private.IN_MEMORY_JOB)
    if events is None or in_memory is None or not private.has_threads():
        return job.execute_in_process(
            instance=instance,
            asset_selection=list(selection),
            raise_on_error=False,
            run_config=QUIET,
            run_id=run_id,
            tags=dict(tags),
        ).all_events
    run = create_run(instance, definitions, selection, run_id, tags)
    return [*events(in_memory(job.with_executor_def(threads_executor)), run, instance)]


def create_run(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    selection: AbstractSet[dg.AssetKey],
    run_id: str,
    tags: Mapping[str, str],
) -> dg.DagsterRun:
    """Create a run of some assets in Dagster's history; nothing is executed yet."""
    job = _job(definitions, selection)
    return instance.create_run_for_job(
        job_def=job,
        run_id=run_id,
        run_config=QUIET,
        tags={**job.run_tags, **tags},
        asset_selection=frozenset(selection),
        remote_job_origin=job_origin(job.name),
    )


def _job(definitions: dg.Definitions, selection: AbstractSet[dg.AssetKey]) -> dg.JobDefinition:
    """The job of the layers' assets, or else Dagster's own of all that are defined."""
    job = definitions.resolve_job_def(JOB)
    if selection <= set(job.asset_layer.executable_asset_keys):
        return job
    return definitions.resolve_implicit_global_asset_job_def()
