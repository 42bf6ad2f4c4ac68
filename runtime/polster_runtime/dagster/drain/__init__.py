"""Wait until no run is under way, so that the code can be replaced."""

import time
from collections.abc import Iterator, Sequence

import dagster as dg

from polster_runtime.dagster.instance import opened

UNDER_WAY = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
"""Runs that have a process, or are about to get one; what is queued waits for the daemon."""
LOOK_SECONDS = 2.0


def drain(seconds: float, look_seconds: float = LOOK_SECONDS) -> Iterator[Sequence[str]]:
    """Yield the ids of the runs that are under way, whenever they change, for so many seconds.

    The last that is yielded is empty when all have ended. The daemon must not be running, or it
    goes on starting others. Raises HistoryError.
    """
    until, before = time.monotonic() + seconds, None
    with opened() as instance:
        while True:
            running = _under_way(instance)
            if running != before:
                yield running
            if not running or time.monotonic() >= until:
                return
            before = running
            time.sleep(look_seconds)


def _under_way(instance: dg.DagsterInstance) -> Sequence[str]:
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=[*UNDER_WAY]))
    return sorted(run.run_id for run in runs)
