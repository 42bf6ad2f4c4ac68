"""What came after a version of an asset, through merging, compaction and removals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage import compaction, copying, staging
from polster_runtime.storage.compaction import compact
from polster_runtime.storage.merging import alive
from polster_runtime.storage.store import Store
from polster_runtime.storage.versions import Version, count, parts_since, rows_of, version

ORDERS = AssetId("silver", "orders")
Change = tuple[int, int | None]
"""A key and its value; None removes it."""

CHANGES = st.dictionaries(st.integers(0, 9), st.none() | st.integers(0, 99), max_size=4)


def publish(store: Store, changes: dict[int, int | None], *, keyed: bool) -> None:
    """Publish rows on top of the latest; at first as a full file."""
    on = store.latest(ORDERS)
    rows = pl.LazyFrame(
        {
            "id": list(changes),
            "value": list(changes.values()),
            "_deleted": [value is None for value in changes.values()],
        },
        schema={"id": pl.Int64, "value": pl.Int64, "_deleted": pl.Boolean},
    )
    known = {"kind": "upsert", "key": ["id"]} if keyed else {}
    frame = rows if keyed and on else alive(rows)
    staged = staging.stage(frame, lambda: known)
    store.publish(staged, store.new_path(ORDERS, on=on))


def state(store: Store) -> dict[int, int]:
    """Return what a reader gets."""
    latest = store.latest(ORDERS)
    assert latest is not None
    rows = store.scan(latest).collect()
    assert rows.columns == ["id", "value"]
    assert not rows["id"].is_duplicated().any()
    return dict(rows.iter_rows())


@settings(max_examples=30, deadline=None)
@given(nights=st.lists(CHANGES, min_size=1, max_size=14), lag=st.integers(0, 6), data=st.data())
def test_who_reads_what_is_new_has_what_everyone_has(
    nights: list[dict[int, int | None]],
    lag: int,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = tmp_path_factory.mktemp("data").as_posix()
    store = Store(LocalFileSystem(), root)
    truth: dict[int, int] = {}
    copy: dict[int, int] = {}
    seen: Version | None = None
    together = pytest.MonkeyPatch()
    together.setattr(compaction, "TOGETHER", 2)
    with together.context():
        for number, night in enumerate(nights):
            compact(store, ORDERS) if number else None
            publish(store, night, keyed=True)
            for key, value in night.items():
                truth.pop(key, None)
                if value is not None:
                    truth[key] = value
            assert state(store) == truth
            if lag and data.draw(st.integers(0, lag)):
                continue  # a reader that is behind
            latest = store.latest(ORDERS)
            assert latest is not None
            parts = parts_since(store, latest, seen) if seen else None
            if parts is None:
                copy = dict(truth)
            else:
                rows = rows_of(store, latest, parts).collect()
                assert rows.height <= count(store, parts)
                for row in rows.iter_rows(named=True):
                    copy.pop(row["id"], None)
                    if not row.get("_deleted"):
                        copy[row["id"]] = row["value"]
            seen = version(store, latest)
            assert copy == truth
    together.undo()


def test_compaction_starts_no_new_epoch(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    store = Store(LocalFileSystem(), (project / "data").as_posix())
    publish(store, {key: key for key in range(5)}, keyed=True)
    first = store.latest(ORDERS)
    assert first is not None
    began = version(store, first)
    for key in range(4):
        compact(store, ORDERS)
        publish(store, {key: 100}, keyed=True)
    compact(store, ORDERS)
    latest = store.latest(ORDERS)
    assert latest is not None
    assert latest.paths[0] != first.paths[0]
    assert version(store, latest) == Version(began.epoch, 4)
    assert parts_since(store, latest, began) is None  # the first two are in the full file
    since = parts_since(store, latest, Version(began.epoch, 2))
    assert since is not None
    assert sorted(rows_of(store, latest, since).collect()["id"]) == [2, 3]


@pytest.mark.parametrize("weight", [0, 4], ids=["blocks", "all"])
def test_an_increment_of_another_machine_is_not_hidden_by_a_compaction(
    project: Path, monkeypatch: pytest.MonkeyPatch, weight: int
) -> None:
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    monkeypatch.setattr(compaction, "UPSERT_WEIGHT", weight)
    store = Store(LocalFileSystem(), (project / "data").as_posix())
    for key in range(3):
        publish(store, {key: key}, keyed=True)
    stage = staging.stage

    def meanwhile(*args: Any) -> Path:
        publish(store, {3: 3, 0: 100}, keyed=True)
        return stage(*args)

    with monkeypatch.context() as slow:
        slow.setattr(compaction, "stage", meanwhile)
        compact(store, ORDERS)
    assert state(store) == {0: 100, 1: 1, 2: 2, 3: 3}
    publish(store, {1: None}, keyed=True)
    compact(store, ORDERS)
    assert state(store) == {0: 100, 2: 2, 3: 3}
    assert len(store.snapshots(ORDERS)) == 1


def test_a_full_refresh_of_another_machine_is_not_hidden_by_a_compaction(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    store = Store(LocalFileSystem(), (project / "data").as_posix())
    for key in range(3):
        publish(store, {key: key}, keyed=True)
    stage = staging.stage

    def meanwhile(*args: Any) -> Path:
        fresh = staging.stage(pl.LazyFrame({"id": [7], "value": [7]}), lambda: {"key": ["id"]})
        store.publish(fresh, store.new_path(ORDERS))
        return stage(*args)

    monkeypatch.setattr(compaction, "stage", meanwhile)
    compact(store, ORDERS)
    assert state(store) == {7: 7}


def test_what_was_merged_meanwhile_is_copied_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    here, there = (
        Store(LocalFileSystem(), (project / name).as_posix()) for name in ("data", "elsewhere")
    )
    for key in range(6):
        publish(here, {key: key, 0: key}, keyed=True)
        compact(here, ORDERS) if key == 4 else None
        for path in [*copying.files(here)][:-1]:  # and then it is interrupted
            copying.copy(here, there, path)
    copied = [copying.copy(here, there, path) for path in copying.files(here)]
    assert True in copied
    assert state(there) == state(here) == {0: 5, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5}
    latest = here.latest(ORDERS), there.latest(ORDERS)
    assert version(here, latest[0]) == version(there, latest[1])  # type: ignore[arg-type]
