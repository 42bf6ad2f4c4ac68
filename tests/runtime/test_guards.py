"""What keeps increments whole, and that the checks notice when it is taken away.

Each race is run twice: as it is, when readers get every row once, and without one of the guards.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.execution import locks
from polster_runtime.execution import materialize as runs
from polster_runtime.storage import compaction, staging
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import Snapshot, stem
from polster_runtime.storage.store import Store

from .conftest import CoreFile
from .test_increments import EVENTS, Clock, Killed, read

EVENTS_ASSET, LOG_ASSET = AssetId("bronze", "events"), AssetId("silver", "log")
LOG = """
    from polster_runtime import Append, New


    def transform(events: New) -> Append:
        return events
"""


class Shop:
    """A log of numbers and an asset that adds what is new in it."""

    def __init__(self, core_file: CoreFile) -> None:
        """Begin with a night of one number."""
        self.events, self.kept = core_file("bronze_events", EVENTS), core_file("silver_log", LOG)
        self.log()
        self.night()

    def log(self) -> None:
        """Let the source log the next number."""
        changes = self.events.CHANGES
        changes.append(pl.DataFrame({"n": [len(changes)]}))

    def night(self) -> None:
        """Run both assets."""
        runs.materialize(self.events.extract, [])
        runs.materialize(self.kept.transform, [EVENTS_ASSET])

    def lost_or_twice(self) -> bool:
        """Whether readers of one of the assets do not get each number once."""
        numbers = list(range(len(self.events.CHANGES)))
        return [sorted(read(str(one))["n"]) for one in (EVENTS_ASSET, LOG_ASSET)] != [numbers] * 2


@pytest.fixture
def shop(core_file: CoreFile) -> Shop:
    """Return the assets after a first night."""
    return Shop(core_file)


def _once(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    """Do some work once the next file is staged."""
    todo = [work]

    def stage(*args: Any, **options: Any) -> Path:
        staged = staging.stage(*args, **options)
        if todo:
            todo.pop()()
        return staged

    monkeypatch.setattr(module, "stage", stage)


def _replacing(_: Store, file: Path, path: str) -> None:
    shutil.copyfile(file, path)


@pytest.mark.parametrize("guarded", [True, False])
def test_no_file_takes_the_place_of_that_of_another_machine(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    def other_machine() -> None:
        shop.log()
        shop.night()

    monkeypatch.setattr(runs, "alone", lambda _: nullcontext())
    if not guarded:
        monkeypatch.setattr(Store, "put", _replacing)
    shop.log()
    _once(other_machine, monkeypatch, runs)
    with pytest.raises(StorageError, match="another run meanwhile") if guarded else nullcontext():
        shop.night()
    shop.night()
    assert shop.lost_or_twice() is not guarded


@pytest.mark.parametrize("guarded", [True, False])
def test_a_run_of_this_machine_waits_and_is_not_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    goes_on = threading.Event()
    is_ours = locks._is_ours

    def waits(lock: Any) -> bool:
        goes_on.set()
        return is_ours(lock)

    def other() -> None:
        runs.materialize(shop.events.extract, [])
        goes_on.set()

    monkeypatch.setattr(locks, "_is_ours", waits)
    if not guarded:
        monkeypatch.setattr(runs, "alone", lambda _: nullcontext())
    thread = threading.Thread(target=other)

    def meanwhile() -> None:
        thread.start()
        assert goes_on.wait(120)  # until it has run, or waits for us

    shop.log()
    _once(meanwhile, monkeypatch, runs)
    with nullcontext() if guarded else pytest.raises(StorageError, match="another run meanwhile"):
        shop.night()
    thread.join()
    shop.night()
    assert not shop.lost_or_twice()


def _in_pieces(clock: Clock) -> Callable[[Store, Path, str], None]:
    def put(_: Store, file: Path, path: str) -> None:
        content = file.read_bytes()
        Path(path).write_bytes(content[:100])
        clock.tick()
        Path(path).write_bytes(content)

    return put


@pytest.mark.parametrize("guarded", [True, False])
def test_a_file_appears_whole_in_runs_and_in_compaction(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    clock, damaged = Clock(monkeypatch), 0
    if not guarded:
        monkeypatch.setattr(Store, "put", clock.watched(_in_pieces(clock)))
    for _ in range(4):
        shop.log()
        end = 0
        while not shop_ran(shop, clock, end := end + 1):
            with suppress(StorageError):
                read(str(EVENTS_ASSET)), read(str(LOG_ASSET))
                continue
            damaged += 1
            break
    assert clock.kills
    assert (damaged > 0) is not guarded
    assert guarded is False or not shop.lost_or_twice()


def shop_ran(shop: Shop, clock: Clock, end: int) -> bool:
    """Run a night that is killed at a step; return whether it came to its end."""
    clock.step, clock.end = 0, end
    with suppress(Killed, StorageError):
        shop.night()
        return True
    return False


@pytest.mark.parametrize("guarded", [True, False])
def test_what_is_merged_hides_no_increment_that_comes_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    monkeypatch.setattr(runs, "merge_increments", lambda _: None)  # but here, and at one moment
    monkeypatch.setattr("polster_runtime.execution.upkeep.merge_increments", lambda _: None)
    for _ in range(2):
        shop.log()
        shop.night()

    def merged_path(_: Store, snapshot: Snapshot, first: int, last: int) -> str:
        return f"{stem(snapshot)}.{first:06}-{last + 1:06}.parquet"

    if not guarded:
        monkeypatch.setattr(Store, "merged_path", merged_path)
    shop.log()
    _once(shop.night, monkeypatch, compaction)
    compaction.compact(store(), LOG_ASSET)
    assert len(store().snapshots(LOG_ASSET)[-1].held) >= 2
    assert shop.lost_or_twice() is not guarded


@pytest.mark.parametrize("guarded", [True, False])
def test_who_reads_on_keeps_the_files_that_were_merged(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    if not guarded:
        monkeypatch.setattr(compaction, "GRACE", timedelta(0))
    for _ in range(2):
        shop.log()
        shop.night()
    before = store().snapshots(LOG_ASSET)[-1]
    rows = store().scan(Snapshot(before.held or before.paths))
    for _ in range(4):
        shop.log()
        shop.night()
    with (
        nullcontext() if guarded else pytest.raises((FileNotFoundError, pl.exceptions.PolarsError))
    ):
        rows.collect()
    assert not shop.lost_or_twice()
