"""Rows that belong to some keys: a filter finds the same as a join, for keys of any type."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polster_runtime.storage import matching

MOMENTS = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([1, 2, 3, None]),
        pl.Series([1, 2, 3, None], dtype=pl.UInt8),
        pl.Series(["a", "b", "", None]),
        pl.Series(["a", "b", "c", None], dtype=pl.Categorical),
        pl.Series(["a", "b", "c", None], dtype=pl.Enum(["c", "b", "a"])),
        pl.Series([0.0, -0.0, float("nan"), None]),
        pl.Series([*MOMENTS, None]),
        pl.Series([*MOMENTS, None]).dt.date(),
        pl.Series([True, False, True, None]),
        pl.Series([b"a", b"b", b"", None]),
        pl.Series([{"x": 1}, {"x": 2}, {"x": None}, None]),
    ],
    ids=lambda values: str(values.dtype),
)
@pytest.mark.parametrize("few", [0, 1_000])
def test_it_finds_what_a_join_finds(
    tmp_path: Path, values: pl.Series, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "FEW_NUMBERS", few)
    monkeypatch.setattr(matching, "FEW_TEXTS", few)
    rows = pl.DataFrame({"id": values, "second": [1, 1, 2, 2], "n": range(4)})
    rows.write_parquet(tmp_path / "rows.parquet")
    read = pl.scan_parquet(tmp_path / "rows.parquet")
    for keys in (rows[2:].select("id"), rows[:0].select("id"), rows[1:3].select("second", "id")):
        expected = rows.join(keys, on=keys.columns, how="semi", nulls_equal=True)
        found = matching.matching(read, keys).collect(engine="streaming")
        assert_frame_equal(found, expected, check_row_order=False)
