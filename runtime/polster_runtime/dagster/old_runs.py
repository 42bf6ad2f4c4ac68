"""Old runs go from Dagster's history after RUN_RETENTION days; what is still needed stays.

Once a day, behind a run or before one that the daemon launches, and never for long: what there is
too much of goes the next time.
"""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import dagster as dg
from filelock import FileLock, Timeout

from polster_runtime.config.logging import log
from polster_runtime.config.paths import dagster_home
from polster_runtime.config.settings import settings

DAY = 86_400.0
BUDGET_SECONDS = 2.0
"""How long a run may be kept waiting."""
PAGE = 100
MARK = "tidied"
"""A file in DAGSTER_HOME whose time says when this was last done to the end."""
FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
PARTITION = ("dagster/partition", "dagster/asset_partition")
"""How the tags of a run begin that made a partition: it may be the latest of it."""


def tidy(instance: dg.DagsterInstance) -> None:
    """Delete old runs and empty forgotten logs, where that was not done today.

    What goes wrong is logged: no run fails because of it.
    """
    try:
        _tidy(instance)
    except Exception as error:
        log.warning("old runs were not deleted: %s", str(error).partition("\n")[0])


def _tidy(instance: dg.DagsterInstance) -> None:
    mark = dagster_home() / MARK
    with suppress(OSError, Timeout):  # read-only, or another process is at it
        if mark.exists() and time.time() - mark.stat().st_mtime < DAY:
            return
        with FileLock(mark.with_suffix(".lock"), blocking=False):
            _empty_logs()
            if prune(instance, settings().run_retention):
                mark.touch()


def prune(instance: dg.DagsterInstance, days: int, seconds: float = BUDGET_SECONDS) -> bool:
    """Delete the runs that ended before some days and that nothing needs; whether all are gone."""
    if not days:
        return True
    deadline = time.monotonic() + seconds
    before = datetime.now(UTC) - timedelta(days=days)
    needed = set(_needed(instance))
    for run in _finished(instance, before):
        if time.monotonic() > deadline:
            return False
        if run.run_id not in needed and not any(tag.startswith(PARTITION) for tag in run.tags):
            instance.delete_run(run.run_id)
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            shutil.rmtree(dagster_home() / "storage" / run.run_id, ignore_errors=True)
    return True


def _needed(instance: dg.DagsterInstance) -> Iterator[str]:
    """The runs that say how each asset is, and the last one of all."""
    for record in instance.get_asset_records():
        entry = record.asset_entry
        yield entry.last_run_id or ""
        for event in (entry.last_materialization, entry.last_observation):
            if event is not None:
                yield event.run_id
    for run in instance.get_runs(limit=1):
        yield run.run_id


def _finished(instance: dg.DagsterInstance, before: datetime) -> Iterator[dg.DagsterRun]:
    """The runs that ended before a time, the oldest first."""
    old = dg.RunsFilter(statuses=FINISHED, updated_before=before)
    last: dg.DagsterRun | None = None  # of a page: it is there until the next page is fetched
    while records := instance.get_run_records(
        old, limit=PAGE, ascending=True, cursor=last.run_id if last else None
    ):
        yield from [last] if last else []
        page = [record.dagster_run for record in records]
        yield from page[:-1]
        last = page[-1]
    yield from [last] if last else []


def _empty_logs() -> None:
    """Empty the write-ahead logs that killed runs, and versions before 0.2, have left behind."""
    for file in (dagster_home() / "history" / "runs").glob("*.db-wal"):
        if time.time() - file.stat().st_mtime > DAY:
            with (
                suppress(sqlite3.Error),
                closing(sqlite3.connect(file.with_suffix(".db"), timeout=1)) as link,
            ):
                link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
