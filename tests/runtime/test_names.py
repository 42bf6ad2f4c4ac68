"""Names of snapshots: a new one is the latest whatever the clock says, and others are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st

from polster_runtime.cli import doctor
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.storage import staging
from polster_runtime.storage.compaction import compact
from polster_runtime.storage.copying import files
from polster_runtime.storage.retention import prune
from polster_runtime.storage.snapshots import TIME, is_snapshot, unique_name, written_at
from polster_runtime.storage.store import Store

ORDERS = AssetId("bronze", "orders")
SILVER = AssetId("silver", "orders")
DAYS = timedelta(days=3)


@pytest.fixture
def disk(project: Path) -> Store:
    """Return an empty store on disk."""
    return Store(LocalFileSystem(), (project / "data").as_posix())


def write(path: Path, *rows: int) -> Path:
    """Write rows to a file of any name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"id": rows}).write_parquet(path)
    return path


def named(when: datetime, rest: str = "") -> str:
    """Return the name of a snapshot of a time."""
    return f"{when.strftime(TIME)}-abcdef{rest}.parquet"


def publish(disk: Store, asset: AssetId, *rows: int) -> str:
    """Publish a full file."""
    return disk.publish(staging.stage(pl.LazyFrame({"id": rows}), dict), disk.new_path(asset))


@pytest.mark.parametrize("asset", [ORDERS, SILVER])
def test_d19_a_run_with_a_clock_days_ahead_hides_none_after_it(disk: Store, asset: AssetId) -> None:
    ahead = write(Path(disk.folder(asset), named(datetime.now(UTC) + DAYS)), 1)
    for row in (2, 3):
        path = publish(disk, asset, row)
        latest = disk.latest(asset)
        assert latest
        assert latest.paths == (path,)
        assert disk.scan(latest).collect()["id"].to_list() == [row]
    assert disk.snapshots(asset)[0].path == str(ahead)


def test_d19_what_was_rejected_by_a_clock_ahead_is_not_the_last(disk: Store) -> None:
    rejected = write(Path(disk.folder(SILVER), "_rejected", named(datetime.now(UTC) + DAYS)), 1)
    assert Path(publish(disk, SILVER, 2)).name > rejected.name


@given(st.datetimes(datetime.fromisoformat("1000-01-01"), datetime.fromisoformat("9999-12-31")))
def test_d19_a_name_sorts_behind_any_other(when: datetime) -> None:
    before = f"data/bronze/x/{named(when, '.000001')}"
    name = unique_name(after=before)
    assert name > Path(before).name
    assert is_snapshot(f"{name}.parquet")
    assert written_at(name) > when.replace(tzinfo=UTC)


def test_d19_no_time_comes_after_the_last(disk: Store) -> None:
    write(Path(disk.folder(ORDERS), "99991231T235959999999Z-abcdef.parquet"), 1)
    with pytest.raises(StorageError, match="has the last time that a name can have; rename it"):
        disk.new_path(ORDERS)


NAMES = {
    "20260101T000000000000Z-abcdef.parquet": True,
    "20260101T000000000000Z-abcdef.000001.parquet": True,
    "20260101T000000000000Z-abcdef.1000000.parquet": True,
    "20260101T000000000000Z-abcdef.000001-000016.parquet": True,
    "20260101T000000000000Z-abcdef.000000-000016.parquet": True,
    "20260101T000000000000Z-abcdef.000000-000000.parquet": False,
    "backup.parquet": False,
    "20260101T000000000000Z-abcdef.sync-conflict-20260102-010101-ABCDEFG.parquet": False,
    "20260101T000000000000Z-abcdef (1).parquet": False,
    "20260101T000000000000Z-abcdef.parquet.bak": False,
    "20260101T000000000000Z-ABCDEF.parquet": False,
    "20260101T000000000000Z-abcdef.000000.parquet": False,
    "20260101T000000000000Z-abcdef.000016-000001.parquet": False,
    "20260101T000000000000Z-abcdef.0000001.parquet": False,
    "20260101T000000000000Z-abcdef.000001-.parquet": False,
    "20261332T000000000000Z-abcdef.parquet": False,
    "20260101T000000Z-abcdef.parquet": False,
    "\u0662\u0660\u0662\u0666\u0660\u0661\u0660\u0661T000000000000Z-abcdef.parquet": False,
    "20260101T000000000000Z-abcdef.parquet\n": False,
}


@pytest.mark.parametrize("name", NAMES)
def test_d20_only_our_form_of_name_is_a_snapshot(name: str) -> None:
    assert is_snapshot(f"data/bronze/x/{name}") is NAMES[name]


def test_d20_other_files_are_never_read_pruned_copied_or_merged(
    disk: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish(disk, ORDERS, 1)
    others = [
        write(Path(path).with_name("backup.parquet"), 7),
        write(Path(path.replace(".parquet", ".sync-conflict-20260102-AB.parquet")), 8),
        write(Path(path).parent / "old" / "a.parquet", 9),
        write(Path(path).parents[1] / "b.parquet", 9),
    ]
    monkeypatch.setenv("SNAPSHOT_RETENTION", "1")
    compact(disk, ORDERS)
    assert prune(disk, ORDERS) == []
    assert [snapshot.paths for snapshot in disk.snapshots(ORDERS)] == [(path,)]
    assert list(files(disk)) == [path]
    assert disk.assets() == [ORDERS]
    assert sorted(disk.other_files()) == sorted(map(str, others))
    assert all(other.exists() for other in others)


def test_d20_doctor_names_other_files(disk: Store) -> None:
    other = write(Path(publish(disk, ORDERS, 1)).with_name("backup.parquet"), 7)
    told = [check for check in doctor._other_files() if check.status == "warning"]
    assert [check.message for check in told] == [
        f"{other} is not named as a snapshot: nothing reads it"
    ]


def test_r4_only_a_full_snapshot_is_to_be_deleted(disk: Store) -> None:
    path = Path(publish(disk, ORDERS, 1))
    other, increment = path.with_name("result"), Path(disk.new_path(ORDERS, disk.latest(ORDERS)))
    for damaged in (path, other, increment):
        damaged.write_bytes(b"none")
        with pytest.raises(StorageError, match=f"{damaged.name} is damaged") as refused:
            disk.check(str(damaged))
        assert ("delete it" in str(refused.value)) is (damaged == path)
    with pytest.raises(StorageError, match="--asset bronze_orders --full-refresh"):
        disk.check(str(increment))
