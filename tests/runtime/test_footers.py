"""Footers of many partitions: read once, and again as soon as a file is no longer what it was."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from polster_runtime.config.paths import staging_dir
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.storage import footers as module
from polster_runtime.storage.footers import FEW, GROUPS, footers
from polster_runtime.storage.inspection import inspect
from polster_runtime.storage.registry import store
from polster_runtime.storage.store import Store

DAYS = AssetId("bronze", "days")
MANY = FEW * 2


def put(number: int, rows: pl.DataFrame) -> Path:
    """Publish rows of a partition."""
    data, asset = store(), DAYS.at(f"{number:03}")
    staged = staging_dir() / "rows.parquet"
    staged.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(staged)
    return Path(data.publish(staged, data.new_path(asset)))


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Publish many partitions; return the files whose footers have been read since."""
    content = []
    for count in range(3):
        path = put(0, pl.DataFrame({"n": range(count)}, schema={"n": pl.Int64}))
        content.append(path.read_bytes())
        path.unlink()
    for number in range(MANY):
        path = Path(store().new_path(DAYS.at(f"{number:03}")))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content[number % 3])
    read, seen = module._read, list[str]()

    def noted(data: Store, files: list[str]) -> object:
        seen.extend(files)
        return read(data, files)

    monkeypatch.setattr(module, "_read", noted)
    return seen


def rows() -> int | None:
    """Return what is said of the rows of all partitions."""
    return inspect(store(), [DAYS])[DAYS].rows


def test_they_are_read_once_and_one_more_partition_costs_one_group(looked: list[str]) -> None:
    expected = sum(number % 3 for number in range(MANY))
    assert rows() == expected
    assert len(looked) == MANY
    assert rows() == store().scan(store().latest(DAYS)).collect().height == expected  # type: ignore[arg-type]
    assert len(looked) == MANY
    put(MANY, pl.DataFrame({"n": [1, 2]}))
    put(0, pl.DataFrame({"n": [1, 2, 3]}))
    assert rows() == expected + 5
    assert MANY < len(looked) < MANY + 20 * MANY / GROUPS


def test_a_file_that_is_no_longer_what_it_was_is_read_again(looked: list[str]) -> None:
    path = put(5, pl.DataFrame({"n": [1]}))
    rows()
    path.write_bytes(path.read_bytes()[:-9])
    assert path.name in inspect(store(), [DAYS])[DAYS].problem
    with pytest.raises(StorageError, match=f"{path.name} is damaged"):
        footers(store(), [*map(str, Path(store().folder(DAYS)).glob("*/*"))])
    assert looked


def test_other_columns_are_no_rows_of_the_same(looked: list[str]) -> None:
    total = rows()
    put(7, pl.DataFrame({"n": [0.5], "more": ["x"]}))
    paths = store().latest(DAYS).paths  # type: ignore[union-attr]
    assert footers(store(), paths).columns == ""
    stored = inspect(store(), [DAYS])[DAYS]
    assert (stored.rows, stored.problem) == ((total or 0) - 7 % 3 + 1, "")
    frame = store().scan(store().latest(DAYS)).collect()  # type: ignore[arg-type]
    assert frame["more"].drop_nulls().to_list() == ["x"]
    assert 0.5 in frame["n"].to_list()
    assert frame.schema["n"] == pl.Float64
    put(8, pl.DataFrame({"n": [b"x"]}))
    assert "which do not go together" in inspect(store(), [DAYS])[DAYS].problem
    assert looked


def test_what_is_remembered_may_be_lost(looked: list[str]) -> None:
    expected = rows()
    (file,) = (staging_dir() / "footers").iterdir()
    for content in ("", "[]", '{"a": 1}', '{"a": ["x", 1]}'):
        looked.clear()
        file.write_text(content, "utf-8")
        assert rows() == expected
        assert len(looked) == MANY
