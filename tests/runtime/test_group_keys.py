"""Groups whose key has another type upstream than in the contract: exact, or a sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage.registry import store

from .conftest import CoreFile
from .test_increments import EVENTS, read

COUNTS = """
    from typing import Annotated

    from polster_runtime import Touched, Upsert

    MAX_REJECTED = 1.0


    class Contract(dy.Schema):
        id = dy.{}
        rows = dy.UInt32(nullable=False)


    CHANGE = [lambda rows: rows]


    def transform(events: Annotated[pl.LazyFrame, Touched("id")]) -> Upsert:
        return CHANGE[0](events).group_by("id").agg(rows=pl.len())
"""
CHANGES = [AssetId.parse("bronze_events")]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 1)  # noqa: DTZ001 - a wall time is meant
KEY = "primary_key=True"


def nights(core_file: CoreFile, kind: str, ids: pl.Series) -> Any:
    """Return an asset after a first night of all ids, with another night of the last two."""
    events, counts = (
        core_file("bronze_events", EVENTS),
        core_file("silver_counts", COUNTS.format(kind)),
    )
    # Of few groups some would be much, and all be read.
    many = pl.concat([ids, *[ids.head(1)] * 20]).rename("id").to_frame()
    for frame in (many, ids.tail(2).rename("id").to_frame()):
        events.CHANGES.append(frame)
        materialize(events.extract, [])
        if frame is many:
            materialize(counts.transform, CHANGES)
    return counts


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        (f"Int64({KEY})", pl.Series([1, 2, 3], dtype=pl.Int32)),
        (f"Int32({KEY})", pl.Series([1, 2, 2**40], dtype=pl.Int64)),
        (f"Int64({KEY})", pl.Series([1, 2, 2**64 - 1], dtype=pl.UInt64)),
        (f"Int64({KEY})", pl.Series([1.0, 2.0, 2.5])),
        (f"Int64({KEY})", pl.Series(["1", "2", "x"])),
        (f"Int64({KEY})", pl.Series([Decimal("1.00"), Decimal("2.00"), Decimal("2.50")])),
        (f"Decimal(20, 1, {KEY})", pl.Series([Decimal("1.00"), Decimal("2.00"), Decimal("2.55")])),
        (f"Float64({KEY})", pl.Series([1, 2, 2**53 + 1])),
        (f"Categorical({KEY})", pl.Series(["a", "b", "c"])),
        (f"String({KEY})", pl.Series(["a", "b", "c"], dtype=pl.Categorical)),
        (f'Enum(["a", "b"], {KEY})', pl.Series(["a", "b", "c"])),
        (f"String({KEY})", pl.Series(["a", "b", "c"], dtype=pl.Enum(["c", "b", "a"]))),
        (f"Bool({KEY})", pl.Series([0, 1, 2])),
        (f"Date({KEY})", pl.Series([MIDNIGHT, datetime(2026, 1, 2), datetime(2026, 1, 2, 9)])),  # noqa: DTZ001
        (f'Datetime({KEY}, time_unit="us")', pl.Series([date(2026, 1, day) for day in (1, 2, 3)])),
        (f'Datetime({KEY}, time_unit="us")', pl.Series([0, 1_000, 1_001], dtype=pl.Datetime("ns"))),
        (f'Datetime({KEY}, time_unit="us")', pl.Series([NOON, NOON.replace(hour=13)])),
        (
            f'Datetime({KEY}, time_zone="UTC")',
            pl.Series([NOON, NOON.replace(hour=13)]).dt.convert_time_zone("Europe/Berlin"),
        ),
        (
            f"Datetime({KEY})",
            pl.Series([MIDNIGHT, MIDNIGHT.replace(month=7)]).dt.replace_time_zone("Europe/Berlin"),
        ),
    ],
    ids=str,
)
def test_a_night_gives_what_reading_everything_gives(
    core_file: CoreFile, kind: str, ids: pl.Series
) -> None:
    counts = nights(core_file, kind, ids)
    assert materialize(counts.transform, CHANGES).read == "read what is new"
    found = read("silver_counts")
    materialize(counts.transform, CHANGES, full_refresh=True)
    assert_frame_equal(found, read("silver_counts"), check_row_order=False)


@pytest.mark.parametrize(
    ("kind", "ids", "says"),
    [
        (f"Int64({KEY})", pl.Series(["1", "2", "01"]), "1 of the contract was written '01'"),
        (f"Bool({KEY})", pl.Series(["true", "false", "FALSE"]), "False of the contract was"),
        (
            f'Int64({KEY}, metadata={{"rounded": True}})',
            pl.Series([1.0, 2.0, 2.4]),
            "2 of the contract was written 2.4, .* upstream has id Float64, the contract id Int64",
        ),
    ],
)
def test_groups_that_may_become_one_are_refused(
    core_file: CoreFile, kind: str, ids: pl.Series, says: str
) -> None:
    counts = nights(core_file, kind, ids)
    before = store().snapshots(AssetId.parse("silver_counts"))
    with pytest.raises(AssetError, match=says):
        materialize(counts.transform, CHANGES)
    assert store().snapshots(AssetId.parse("silver_counts")) == before


def test_a_function_that_changes_the_key_is_refused(core_file: CoreFile) -> None:
    counts = nights(core_file, f"String({KEY})", pl.Series(["a", "b", "C"]))
    counts.CHANGE[0] = lambda rows: rows.with_columns(pl.col("id").str.to_lowercase())
    with pytest.raises(AssetError, match="a row with id 'c', which is none of the groups"):
        materialize(counts.transform, CHANGES)
