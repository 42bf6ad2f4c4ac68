"""Increments whose types differ: what goes together exactly is read so, all else is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, StorageError
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage import staging
from polster_runtime.storage.columns import ValueChanges, cast_exactly, common
from polster_runtime.storage.registry import read, store
from polster_runtime.storage.store import Store

ORDERS = AssetId("bronze", "orders")
US, MS = pl.Datetime("us"), pl.Datetime("ms")
FIRST, SECOND = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-01-02")
FINE = FIRST + timedelta(microseconds=123_456)
BIG = 2**53 + 1
NIGHTS = """
    NIGHTS = []

    def extract(position):
        for frame in NIGHTS.pop(0):
            yield frame
        return 1
"""


def nights(core_file: Callable[[str, str], ModuleType], *frames: list[pl.Series]) -> ModuleType:
    """Write a source that yields the frames of one night after the other."""
    module = core_file("bronze_orders", NIGHTS)
    module.NIGHTS.extend([[pl.DataFrame({"x": one}) for one in night] for night in frames])
    return module


def column(values: list[Any], kind: Any) -> pl.Series:
    """Return a column."""
    return pl.Series(values, dtype=kind)


REFUSED: dict[str, tuple[pl.Series, pl.Series, str]] = {
    "ints, then floats": (
        column([BIG], pl.Int64),
        column([0.5], pl.Float64),
        f"{BIG} would become",
    ),
    "floats, then ints": (
        column([0.5], pl.Float64),
        column([BIG], pl.Int64),
        f"{BIG} would become",
    ),
    "decimals, then floats": (
        column([Decimal("1.10")], pl.Decimal(20, 2)),
        column([0.5], pl.Float64),
        r"x was Decimal\(precision=20, scale=2\) and is Float64 now",
    ),
    "a longer scale": (
        column([Decimal(10) ** 27], pl.Decimal(38, 10)),
        column([Decimal("0.1")], pl.Decimal(38, 12)),
        "would become",
    ),
    "d23, a longer scale": (
        column([Decimal(10) ** 20], pl.Decimal(30, 2)),
        column([Decimal("0.1")], pl.Decimal(38, 20)),
        "would become",
    ),
    "booleans, then numbers": (column([True], pl.Boolean), column([2], pl.Int64), "x was Boolean"),
    "a zone, then none": (
        column([FIRST], pl.Datetime("us", "UTC")),
        column([FIRST], US),
        "do not go together",
    ),
    "within a list": (
        column([[BIG]], pl.List(pl.Int64)),
        column([[0.5]], pl.List(pl.Float64)),
        f"{BIG} would become",
    ),
    "within a record": (
        column([{"a": BIG}], pl.Struct({"a": pl.Int64})),
        column([{"a": 0.5}], pl.Struct({"a": pl.Float64})),
        f"{BIG} would become",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_d11_d23_a_drift_that_changes_a_value_is_refused(case: str, core_file: Any) -> None:
    first, second, message = REFUSED[case]
    module = nights(core_file, [first], [second])
    materialize(module.extract, [])
    before = store().latest(ORDERS)
    with pytest.raises(AssetError, match=message) as refused:
        materialize(module.extract, [])
    assert "--asset bronze_orders --full-refresh" in str(refused.value)
    assert store().latest(ORDERS) == before
    assert read("bronze_orders").collect()["x"].to_list() == first.to_list()
    module.NIGHTS.append([pl.DataFrame({"x": second})])
    materialize(module.extract, [], full_refresh=True)
    assert read("bronze_orders").collect()["x"].to_list() == second.to_list()


TOGETHER: dict[str, tuple[pl.Series, pl.Series, list[Any]]] = {
    "µs, then ms": (
        column([FINE], US),
        column([SECOND], MS),
        [FINE, SECOND],
    ),
    "ms, then µs": (
        column([SECOND], MS),
        column([FINE], US),
        [SECOND, FINE],
    ),
    "ints, then floats": (column([2**53], pl.Int64), column([0.5], pl.Float64), [2.0**53, 0.5]),
    "signed, then not": (column([-1], pl.Int64), column([2**64 - 1], pl.UInt64), [-1, 2**64 - 1]),
    "short, then long": (column([-1], pl.Int8), column([BIG], pl.Int64), [-1, BIG]),
    "a longer scale": (
        column([Decimal("1.5")], pl.Decimal(38, 10)),
        column([Decimal("0.000000000001")], pl.Decimal(38, 12)),
        [Decimal("1.500000000000"), Decimal("0.000000000001")],
    ),
    "decimals and ints": (
        column([Decimal("1.5")], pl.Decimal(20, 1)),
        column([BIG], pl.Int64),
        [Decimal("1.5"), Decimal(BIG)],
    ),
    "nothing, then text": (column([None], pl.Null), column(["a"], pl.String), [None, "a"]),
    "numbers, then text": (column([1], pl.Int64), column(["a"], pl.String), ["1", "a"]),
    "days, then text": (
        column([date(2026, 1, 1), None], pl.Date),
        column(["soon"], pl.String),
        ["2026-01-01", None, "soon"],
    ),
    "text, then moments": (
        column(["soon"], pl.String),
        column([FINE, None], US),
        ["soon", str(FINE), None],
    ),
    "booleans, then text": (
        column([True, None], pl.Boolean),
        column(["maybe"], pl.String),
        ["true", None, "maybe"],
    ),
    "days, then moments": (
        column([date(2026, 1, 1)], pl.Date),
        column([datetime.fromisoformat("2026-01-02T03:00")], US),
        [FIRST, datetime.fromisoformat("2026-01-02T03:00")],
    ),
    "choices": (column(["a"], pl.Enum(["a"])), column(["b"], pl.Enum(["a", "b"])), ["a", "b"]),
    "another field": (
        column([{"a": 1}], pl.Struct({"a": pl.Int64})),
        column([{"b": 2}], pl.Struct({"b": pl.Int64})),
        [{"a": 1, "b": None}, {"a": None, "b": 2}],
    ),
    "lists": (
        column([[1], None, []], pl.List(pl.Int64)),
        column([[0.5]], pl.List(pl.Float64)),
        [[1.0], None, [], [0.5]],
    ),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_d11_what_goes_together_is_read_exactly(case: str, core_file: Any) -> None:
    first, second, expected = TOGETHER[case]
    module = nights(core_file, [first], [second], [first])
    for _ in range(3):
        materialize(module.extract, [])
    assert read("bronze_orders").collect()["x"].to_list() == [
        *expected,
        *expected[: len(first)],
    ]


def test_d11_every_frame_of_a_night_is_looked_at(core_file: Any) -> None:
    floats, ints = column([0.5], pl.Float64), column([1], pl.Int64)
    module = nights(core_file, [floats], [ints, column([BIG], pl.Int64)])
    materialize(module.extract, [])
    with pytest.raises(AssetError, match=f"{BIG} would become"):
        materialize(module.extract, [])
    assert read("bronze_orders").collect()["x"].to_list() == [0.5]


def test_d11_what_an_older_version_wrote_is_an_error_and_not_another_value(project: Path) -> None:
    data = Store(LocalFileSystem(), (project / "data").as_posix())
    for values in (column([BIG], pl.Int64), column([0.5], pl.Float64)):
        file = staging.stage(pl.LazyFrame({"x": values}), dict)
        data.publish(file, data.new_path(ORDERS, on=data.latest(ORDERS)))
    latest = data.latest(ORDERS)
    assert latest
    with pytest.raises((StorageError, pl.exceptions.ComputeError), match=f"{BIG} would become"):
        data.scan(latest).collect()
    file = staging.stage(pl.LazyFrame({"x": [True]}), dict)
    data.publish(file, data.new_path(ORDERS, on=latest))
    newest = data.latest(ORDERS)
    assert newest
    with pytest.raises(StorageError, match="x is Boolean here and Float64 in the files") as refused:
        data.scan(newest)
    assert not refused.value.retryable, "only --full-refresh helps"
    assert str(refused.value).endswith(
        "reload everything with  python run_polster.py --asset bronze_orders --full-refresh"
    )


INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
OTHERS = (pl.Float32(), pl.Float64(), pl.Decimal(38, 10), pl.Decimal(12, 2), pl.String())
KINDS = st.sampled_from([*(kind() for kind in INTEGERS), *OTHERS])
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, width=32) | st.none()


@given(KINDS, KINDS, st.lists(NUMBERS))
def test_d11_no_value_changes_on_the_way_to_the_common_type(
    one: pl.DataType, other: pl.DataType, numbers: list[Any]
) -> None:
    """Whatever the types: it is refused, or Python sees the same numbers."""
    values = pl.Series([str(n) for n in numbers if n is not None]).cast(pl.String)
    values = values.cast(one, strict=False)
    target = common(one, other)
    assert target == common(other, one)
    if target is None:
        assert {one.is_decimal(), other.is_decimal()} == {True, False}
        return
    try:
        found = cast_exactly(values, target)
    except ValueChanges:
        return
    if target == pl.String:
        found = found.cast(one)
    assert found.to_list() == values.to_list()
