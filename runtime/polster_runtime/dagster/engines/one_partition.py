"""A partition of a step, on the worker that was given it."""

import json
import logging
from typing import Any

import dagster as dg

from polster_runtime.assets.binding import find_function
from polster_runtime.config.interruption import Interrupted
from polster_runtime.dagster import private
from polster_runtime.dagster.asset_keys import key_of
from polster_runtime.dagster.engines.partitions import graph
from polster_runtime.dagster.partitioned_step import Outcome, Partitioned
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError


def compute(instance: dg.DagsterInstance, run: dg.DagsterRun, step: str, partition: str) -> str:
    """Compute a partition and record it; return what became of it as JSON.

    "" where it was told to stop.
    """
    asset = AssetId.parse(step)
    function = find_function(asset)
    if function is None:
        raise AssetError(f"{asset} has no function on this worker")
    one = Partitioned(function, graph(), key_of(asset), run)
    try:
        done = one.compute(partition)
    except (Interrupted, KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        return ""
    except (Exception, SystemExit) as error:
        return json.dumps(vars(Outcome.of_error(error, function)))
    _record(instance, run, one.recorded(done, partition))
    return json.dumps(vars(Outcome.of(done)))


def _record(
    instance: dg.DagsterInstance, run: dg.DagsterRun, found: dg.AssetMaterialization
) -> None:
    # Without the key of the step, which Dagster would take for one that has begun already.
    data: Any = private.find(private.MATERIALIZED)
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
        job_name=run.job_name,
        event_specific_data=data(found),
        message=f"Partition {found.partition} is computed, on a worker of its own.",
    )
    instance.report_dagster_event(event, run.run_id, logging.INFO)
