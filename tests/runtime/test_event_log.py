"""The event log: as small as Dagster's own, safe for threads, and rid of what is old."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster import event_log, old_runs
from polster_runtime.dagster.instance import opened
from polster_runtime.dagster.old_runs import prune, tidy
from tests import machine
from tests.runtime.history_of import age, configure, ran, run, shards, table_of_runs

STOCK = "telemetry: {enabled: false}\n"


@pytest.fixture(autouse=True)
def _configured(project: Path, new_history: Path) -> None:
    shutil.copytree(new_history, project / ".dagster")
    configure(project)


def sizes(home: Path) -> Mapping[str, int]:
    """Return the bytes of events, by kind of file: of one run, of all runs, not yet in them."""
    files = list((home / "history" / "runs").iterdir())
    index = home / "history" / "runs" / "index.db"
    kinds = {
        "logs": [file for file in files if file.suffix != ".db"],
        "index": [index],
        "runs": [file for file in files if file.suffix == ".db" and file != index],
    }
    return {kind: sum(file.stat().st_size for file in found) for kind, found in kinds.items()}


def test_r8_it_is_no_larger_than_dagsters_own(tmp_path: Path) -> None:
    stock = tmp_path / "stock"
    stock.mkdir()
    (stock / "dagster.yaml").write_text(STOCK, encoding="utf-8")
    for _ in range(3):
        ran("a", "b")
        with DagsterInstance.from_config(str(stock)) as instance:
            run(instance, "a", "b")
    ours, theirs = sizes(dagster_home()), sizes(stock)
    assert ours["logs"] == 0
    assert 0 < ours["runs"] <= theirs["runs"]
    assert 0 < ours["index"] <= theirs["index"]


def test_r8_nothing_waits_in_a_log_while_others_read() -> None:
    ran("a")
    index = dagster_home() / "history" / "runs" / "index.db"
    with closing(sqlite3.connect(index)) as reader:  # as the UI has it open
        before = reader.execute("SELECT count(*) FROM event_logs").fetchone()[0]
        ran("a", "b")
        assert Path(f"{index}-wal").stat().st_size == 0
        assert reader.execute("SELECT count(*) FROM event_logs").fetchone()[0] > before


def test_r8_the_log_of_a_killed_run_is_emptied() -> None:
    run_id = ran("a")
    file = dagster_home() / "history" / "runs" / f"{run_id}.db"
    killed = """
import os, sqlite3, sys
link = sqlite3.connect(sys.argv[1])
link.execute("PRAGMA wal_autocheckpoint=0")
link.execute("CREATE TABLE left_behind AS SELECT randomblob(100000)")
link.commit()
os._exit(0)
"""
    assert machine.python("-c", killed, file).returncode == 0
    log = file.with_name(f"{file.name}-wal")
    assert log.stat().st_size > 100_000
    old = time.time() - 2 * old_runs.DAY
    os.utime(log, (old, old))
    (dagster_home() / old_runs.MARK).unlink(missing_ok=True)
    with opened() as instance:
        tidy(instance)
    assert not log.exists()
    with closing(sqlite3.connect(file)) as link:
        assert link.execute("SELECT count(*) FROM left_behind").fetchone() == (1,)


def test_r8_old_runs_go_and_what_is_needed_stays() -> None:
    first, second, failed = ran("a", "b"), ran("a"), ran("broken")
    parts = [ran("parted", partition=key) for key in ("x", "x")]
    began = ran("a", "b")  # is to be seen as running
    again = ran("a", "b")
    logs = dagster_home() / "storage" / first / "compute_logs"
    logs.mkdir(parents=True)
    age(100, first, second, failed, *parts, began, again)
    with table_of_runs() as link:
        link.execute("UPDATE runs SET status = 'STARTED' WHERE run_id = ?", (began,))
    recent = ran("a")
    with opened() as instance:
        assert prune(instance, days=90)
        kept = {each.run_id for each in instance.get_runs()}
        latest = instance.get_latest_materialization_event(dg.AssetKey("b"))
    # The failure of `broken`, the partitions, the running one, the last of `b`, the last of all.
    assert kept == {failed, *parts, began, again, recent}
    assert latest
    assert latest.run_id == again
    assert {f"{first}.db", f"{second}.db"} & shards() == set()
    assert {f"{run_id}.db" for run_id in kept} < shards()
    assert not logs.parent.exists()


def test_r8_zero_keeps_all_and_days_are_counted_from_the_end() -> None:
    runs = [ran("a") for _ in range(3)]
    age(50, *runs)
    with opened() as instance:
        assert prune(instance, days=0)
        assert prune(instance, days=51)
        assert instance.get_runs_count() == 3
        assert prune(instance, days=49)
        assert instance.get_runs_count() == 1


def test_r8_it_takes_little_time_and_goes_on_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [ran("a") for _ in range(5)]
    age(100, *runs)
    monkeypatch.setattr(old_runs, "PAGE", 2)
    with opened() as instance:
        assert not prune(instance, days=90, seconds=-1)
        assert instance.get_runs_count() == 5
        assert prune(instance, days=90, seconds=60)
        assert [each.run_id for each in instance.get_runs()] == [runs[-1]]


def test_r8_it_is_done_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [ran("a") for _ in range(3)]
    age(100, *runs)
    mark = dagster_home() / old_runs.MARK
    with opened() as instance:
        mark.touch()
        tidy(instance)
        assert instance.get_runs_count() == 3
        yesterday = time.time() - old_runs.DAY - 1
        os.utime(mark, (yesterday, yesterday))
        monkeypatch.setenv("RUN_RETENTION", "0")
        tidy(instance)
        assert instance.get_runs_count() == 3
        os.utime(mark, (yesterday, yesterday))
        monkeypatch.setenv("RUN_RETENTION", "30")
        tidy(instance)
        assert instance.get_runs_count() == 1
        assert time.time() - mark.stat().st_mtime < old_runs.DAY


def test_r8_a_run_does_not_fail_because_old_ones_cannot_be_deleted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> bool:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(old_runs, "prune", fail)
    with opened() as instance:
        tidy(instance)
    assert "old runs were not deleted: database is locked" in caplog.text
    assert not (dagster_home() / old_runs.MARK).exists()


def test_a_run_that_was_deleted_is_no_file_again() -> None:
    first, second = ran("a"), ran("a")
    with opened() as instance:
        assert instance.all_logs(first)
        instance.delete_run(first)
        assert f"{first}.db" not in shards()
        assert instance.all_logs(second)


def entry(run_id: str, text: str) -> dg.EventLogEntry:
    """Return what a step logs."""
    return dg.EventLogEntry(  # type: ignore[no-untyped-call]
        error_info=None,
        level=20,
        user_message=text,
        run_id=run_id,
        timestamp=time.time(),
        step_key="a",
        job_name="job",
        dagster_event=None,
    )


def test_many_threads_of_a_process_may_log_and_read() -> None:
    """Of several runs and in any order: nothing is lost, nothing is locked."""
    runs = [ran("a") for _ in range(3)]

    def work(number: int) -> int:
        with opened() as instance:
            for line in range(20):
                instance.event_log_storage.store_event(
                    entry(runs[number % 3], f"{number} says {line}")
                )
            return len(instance.all_logs(runs[number % 3]))

    with opened() as shared, ThreadPoolExecutor(12) as pool:
        alone = [pool.submit(work, number) for number in range(6)]
        together = [
            pool.submit(shared.event_log_storage.store_event, entry(runs[n % 3], f"shared {n}"))
            for n in range(300)
        ]
        assert min(future.result() for future in alone) > 20
        assert [future.result() for future in together] == [None] * 300
        said = {log.user_message for run_id in runs for log in shared.all_logs(run_id)}
    assert {f"shared {n}" for n in range(300)} <= said
    assert {f"{number} says {line}" for number in range(6) for line in range(20)} <= said


def test_the_files_of_a_few_runs_are_kept_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "FILES_KEPT", 3)
    runs = [ran("a") for _ in range(8)]
    with opened() as instance:
        counts = [len(instance.all_logs(run_id)) for run_id in runs]
        links = {link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
        held = {path for path in links if path.suffix == ".db" and path.parent.name == "runs"}
    assert min(counts) > 5
    assert len(held) <= 3
