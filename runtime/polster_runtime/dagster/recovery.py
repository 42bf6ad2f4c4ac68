"""Runs that ended without a word, and would be shown as running for ever.

A run of run_polster.py holds a lock in .dagster/running as long as it lives; a process that is
killed lets go of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from polster_runtime.config.paths import dagster_home
from polster_runtime.execution import interrupts


@contextmanager
def watched(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Hold the lock of a run in the block; whatever ends that, the run is not left running."""
    settle(instance)
    _folder().mkdir(parents=True, exist_ok=True)
    file = _folder() / run_id
    try:
        with FileLock(file), interrupts.watch(lambda: end_run(instance, run_id, "interrupted")):
            yield
    finally:
        end_run(instance, run_id, "interrupted")
        with suppress(OSError):
            file.unlink()


def settle(instance: dg.DagsterInstance) -> None:
    """Mark the runs of killed processes as failed, so that what depends on them can start."""
    for file in _folder().glob("*"):
        with suppress(Timeout, OSError):  # it is alive, or another run settles it
            with FileLock(file, blocking=False):
                end_run(instance, file.name, "the process of this run was killed")
            file.unlink()


def was_killed(run_id: str) -> bool:
    """Whether a run of run_polster.py has lost its process."""
    file = _folder() / run_id
    if not file.exists():
        return False
    try:
        with FileLock(file, blocking=False):
            return True
    except Timeout:
        return False


def end_run(instance: dg.DagsterInstance, run_id: str, why: str) -> None:
    """Mark a run that has not ended as canceled, where somebody asked for that, or as failed."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return
    if run.status == dg.DagsterRunStatus.CANCELING or interrupts.was_asked_by_person():
        instance.report_run_canceled(run, why)
    else:
        instance.report_run_failed(run, why)


def _folder() -> Path:
    """Where the locks of living runs are."""
    return dagster_home() / "running"
