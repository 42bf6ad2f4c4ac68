"""Runs that ended without a word, and would be shown as running for ever."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg

from polster_runtime.dagster import alerts, run_process
from polster_runtime.execution import interrupts

KILLED = "the process of this run was killed"


@contextmanager
def watched(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Carry out a run in the block; whatever ends that, the run is not left running."""
    settle(instance, told=True)  # there may be no daemon that does
    with run_process.held(run_id):
        try:
            with interrupts.watch(lambda: end_run(instance, run_id, "interrupted")):
                yield
        finally:
            end_run(instance, run_id, "interrupted")


def settle(instance: dg.DagsterInstance, *, told: bool = False) -> None:
    """Mark the runs of killed processes as failed, so that what depends on them can start.

    Listeners hear of it from the daemon, or when they are to be `told`, from this process.
    """
    for run_id in run_process.known():
        with suppress(OSError), run_process.killed(run_id) as is_killed:
            if is_killed and told:
                _end_told(instance, run_id)
            elif is_killed:
                end_run(instance, run_id, KILLED)


def _end_told(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return
    alerts.claim(instance, run_id)  # before it has ended: then the daemon does not tell it as well
    end_run(instance, run_id, KILLED)
    ended = instance.get_run_by_id(run_id)
    if alerts.is_heard() and ended and ended.status == dg.DagsterRunStatus.FAILURE:
        alerts.tell_failure(instance, run_id, KILLED)


def end_run(instance: dg.DagsterInstance, run_id: str, why: str) -> None:
    """Mark a run that has not ended as canceled, where somebody asked for that, or as failed."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return
    if run.status == dg.DagsterRunStatus.CANCELING or interrupts.was_asked_by_person():
        instance.report_run_canceled(run, why)
    else:
        instance.report_run_failed(run, why)
