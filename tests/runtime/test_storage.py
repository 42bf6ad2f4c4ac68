"""Snapshots: their names, the store on two file systems, what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from polster_runtime.config import paths
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, SettingsError, StorageError
from polster_runtime.storage import registry, staging
from polster_runtime.storage.compaction import TOGETHER, compact
from polster_runtime.storage.retention import Retention
from polster_runtime.storage.snapshots import (
    Snapshot,
    numbers,
    snapshot_of,
    unique_name,
    written_at,
)
from polster_runtime.storage.store import Store

ORDERS = AssetId("bronze", "orders")
FULL = "x/20260101T000000000000Z-abcdef.parquet"


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, project: Path) -> Store:
    """Return an empty store: on disk, and on a file system that only fsspec knows."""
    if request.param == "local":
        return Store(LocalFileSystem(), (project / "data").as_posix())
    return Store(MemoryFileSystem(), f"/{uuid4().hex}")


@pytest.fixture
def disk(project: Path) -> Store:
    """Return an empty store on disk."""
    return Store(LocalFileSystem(), (project / "data").as_posix())


def publish(store: Store, ids: Sequence[int], *, increment: bool = False, **known: Any) -> str:
    """Publish rows, as a full file or on top of the latest."""
    on = store.latest(ORDERS) if increment else None
    staged = staging.stage(pl.LazyFrame({"id": ids}), lambda: known)
    return store.publish(staged, store.new_path(ORDERS, on=on))


def ids(store: Store) -> list[int]:
    """Return the rows that a reader gets."""
    latest = store.latest(ORDERS)
    assert latest
    return store.scan(latest).collect()["id"].to_list()


def test_names_sort_by_time() -> None:
    names = [unique_name() for _ in range(50)]
    assert len(set(names)) == 50
    assert [name.partition("-")[0] for name in names] == sorted(
        name.partition("-")[0] for name in names
    )
    assert abs(datetime.now(UTC) - written_at(f"a/{names[-1]}.000001.parquet")) < timedelta(hours=1)


def increment(first: int, last: int | None = None) -> str:
    """Return the path of an increment, or of several in one file."""
    number = f"{first:06}" + ("" if last is None else f"-{last:06}")
    return FULL.replace(".parquet", f".{number}.parquet")


def test_a_merged_file_takes_the_place_of_what_it_holds() -> None:
    found = snapshot_of(FULL, increment(1), increment(2), increment(1, 2), increment(3))
    assert found == Snapshot((FULL, increment(1, 2), increment(3)), (increment(1), increment(2)))


@given(st.integers(1, 60), st.data())
def test_each_increment_is_read_once_whatever_was_merged(last: int, data: st.DataObject) -> None:
    """Blocks of 4, each there or not, beside all increments."""
    blocks = [(first, first + 3) for first in range(1, last - 2, 4)]
    merged = data.draw(st.lists(st.sampled_from(blocks), unique=True)) if blocks else []
    files = [increment(n) for n in range(1, last + 1)] + [increment(*block) for block in merged]
    found = snapshot_of(FULL, *data.draw(st.permutations(files)))
    read = [n for path in found.paths[1:] for n in range(numbers(path)[0], numbers(path)[1] + 1)]
    assert read == list(range(1, last + 1))
    assert {*found.paths, *found.held} == {FULL, *files}


def test_a_reader_gets_the_newest_full_file_and_its_increments(disk: Store) -> None:
    publish(disk, [9])
    publish(disk, [1, 2])
    publish(disk, [3], increment=True)
    publish(disk, [4], increment=True)
    assert ids(disk) == [1, 2, 3, 4]
    assert [len(snapshot.paths) for snapshot in disk.snapshots(ORDERS)] == [1, 3]


def test_files_are_found_on_any_file_system(store: Store) -> None:
    assert (store.latest(ORDERS), store.assets(), store.rejected(ORDERS)) == (None, [], [])
    path = publish(store, [1])
    assert path.startswith(f"{store.root}/bronze/orders/")
    assert store.latest(ORDERS) == Snapshot((path,))
    assert store.assets() == [ORDERS]
    publish(store, [2])
    store.delete(Snapshot((path,)))
    assert [snapshot.path == path for snapshot in store.snapshots(ORDERS)] == [False]
    assert list(paths.staging_dir().iterdir()) == []


def test_where_rows_came_from_stands_in_the_footer(disk: Store) -> None:
    publish(disk, [1], run="r1", position={"id": 1})
    latest = disk.latest(ORDERS)
    assert latest
    assert disk.provenance(latest) == {"run": "r1", "position": {"id": 1}}


def test_of_two_increments_with_one_name_one_is_refused(disk: Store) -> None:
    publish(disk, [1])
    path = disk.new_path(ORDERS, on=disk.latest(ORDERS))
    first, second = (staging.stage(pl.LazyFrame({"id": [n]}), dict) for n in (2, 3))
    disk.publish(first, path)
    with pytest.raises(StorageError, match="by another run meanwhile; run it again") as refused:
        disk.publish(second, path)
    assert refused.value.retryable
    assert ids(disk) == [1, 2]
    assert list(paths.staging_dir().iterdir()) == []


def test_damage_is_named(disk: Store) -> None:
    path = Path(publish(disk, [1]))
    path.write_bytes(path.read_bytes()[:-20])
    latest = disk.latest(ORDERS)
    assert latest
    for look in (disk.scan, disk.provenance):
        with pytest.raises(StorageError, match=f"{path.name} is damaged .* delete it") as refused:
            look(latest)
        assert not refused.value.retryable


@pytest.mark.usefixtures("project")
def test_a_draft_keeps_what_a_file_keeps() -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "null": [None, None],
            "decimal": pl.Series(["1.50", None]).cast(pl.Decimal(38, 2)),
            "enum": pl.Series(["a", None], dtype=pl.Enum(["a", "b"])),
            "category": pl.Series(["x", "y"], dtype=pl.Categorical),
            "moment": pl.Series([moment, None], dtype=pl.Datetime("ns", "UTC")),
            "time": [moment.time(), None],
            "bytes": [b"\0x", None],
            "nested": [{"a": [1, None], "b": "ä"}, None],
            "array": pl.Series([[1.0, float("nan")], None], dtype=pl.Array(pl.Float32, 2)),
            "wide": pl.Series([2**63, 2**64 - 1], dtype=pl.UInt64),
        }
    )
    draft, file = (staging.stage(rows.lazy(), dict, draft=draft) for draft in (True, False))
    assert draft.suffix != file.suffix
    assert_frame_equal(staging.scan(draft).collect(), rows)
    assert_frame_equal(staging.scan(file).collect(), rows)


def test_what_fails_while_it_is_written_leaves_nothing() -> None:
    rows = pl.LazyFrame({"id": ["x"]}).with_columns(pl.col("id").cast(pl.Int64))
    with pytest.raises(pl.exceptions.InvalidOperationError):
        staging.stage(rows, dict)
    assert list(paths.staging_dir().iterdir()) == []


def test_many_increments_become_few_files_with_the_same_rows(disk: Store) -> None:
    publish(disk, range(10_000))
    for number in range(TOGETHER * 2):
        publish(disk, [10_000 + number], increment=True, position=number)
        compact(disk, ORDERS)
    latest = disk.latest(ORDERS)
    assert latest
    assert [numbers(path) for path in latest.paths] == [(0, 0), (1, 16), (17, 32)]
    assert ids(disk) == list(range(10_000 + TOGETHER * 2))
    assert disk.provenance(latest)["position"] == TOGETHER * 2 - 1


def snapshots(*days: float) -> tuple[list[Snapshot], datetime]:
    """Return snapshots of so many days ago, the oldest first, and the time that it is."""
    now = datetime(2026, 11, 29, tzinfo=UTC)
    times = [now - timedelta(days=ago) for ago in days]
    return [Snapshot((f"x/{when:%Y%m%dT%H%M%S%fZ}-abc.parquet",)) for when in times], now


@pytest.mark.parametrize(
    ("retention", "kept"),
    [
        ("9", [80, 60, 40, 10, 0.1]),
        ("3,70d", [60, 40, 10, 0.1]),
        ("20d", [10, 0.1]),
        ("2", [10, 0.1]),
        ("1", [10, 0.1]),  # what was the newest until an hour ago may still be read
    ],
)
def test_retention_keeps_what_it_says_and_what_may_be_read(
    retention: str, kept: list[float]
) -> None:
    days = [80, 60, 40, 10, 0.1]
    found, now = snapshots(*days)
    parsed = Retention.parse(retention)
    assert parsed
    gone = parsed.obsolete(found, now)
    assert [ago for ago, one in zip(days, found, strict=True) if one not in gone] == kept


def test_retention_of_nothing_keeps_everything() -> None:
    assert Retention.parse("") is None


@pytest.mark.parametrize("retention", ["0", "-1", "many", "3d5", "30,x", "0d"])
def test_a_retention_that_means_nothing_is_refused(retention: str) -> None:
    with pytest.raises(SettingsError, match="SNAPSHOT_RETENTION must be a number of snapshots"):
        Retention.parse(retention)


def test_data_by_the_names_of_assets() -> None:
    with pytest.raises(FileNotFoundError, match="silver_orders has no data yet"):
        registry.read("silver_orders")
    path = registry.write_parquet(pl.DataFrame({"id": [1]}), "silver_orders")
    assert "/data/silver/orders/" in path
    assert registry.read("silver_orders").collect().rows() == [(1,)]
    with pytest.raises(AssetError, match="'orders' is no asset: say LAYER_NAME"):
        registry.write_parquet(pl.DataFrame({"id": [1]}), "orders")


def test_a_backend_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_BACKEND", "s3")
    with pytest.raises(SettingsError) as refused:
        registry.store()
    assert str(refused.value) == (
        f"STORAGE_BACKEND=s3: this project has {', '.join(registry.backends())}; "
        "add another with  polster storage add s3"
    )
