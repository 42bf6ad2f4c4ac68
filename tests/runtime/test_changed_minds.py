"""From all rows to increments and back: rows are kept, made again, or a sentence says why not."""

from __future__ import annotations

import sys

import polars as pl
import pytest

from polster_runtime.assets import increments
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError
from polster_runtime.execution.materialize import materialize
from polster_runtime.execution.result import Materialized

from .conftest import CoreFile
from .test_increments import EVENTS, read

LATEST = """
    from typing import Annotated

    from polster_runtime import Append, New, Own, Touched, Upsert


    class Contract(dy.Schema):
        item = dy.Int64(primary_key=True)
        count = dy.Int64()


    def transform({}) -> {}:
        return events.unique("item", keep="last", maintain_order=True)
"""
WHOLE = ("events: pl.LazyFrame", "pl.LazyFrame")
NEW = ("events: New", "Upsert")
ADDED = ("events: New", "Append")
TOUCHED = ('events: Annotated[pl.LazyFrame, Touched("item")]', "Upsert")
OWN = ("events: pl.LazyFrame, before: Own", "Upsert")
OWN_WHOLE = ("events: pl.LazyFrame, before: Own", "pl.LazyFrame")
NEW_AND_OWN = ("events: New, before: Own", "Upsert")
Way = tuple[str, str]
OTHERS = "read everything: its annotations or its key have changed"
CODE = "read everything: its code has changed"
LEFT = "it has kept rows with Own, which cannot be computed again"
BEGINS = "the rows that it has are from before it asked for Own; to start over"
NIGHTS = ([(1, 1), (2, 2)], [(2, 3), (3, 4)])


class Latest:
    """The newest count of each item of a log, kept in one way and then in another."""

    def __init__(self, core_file: CoreFile, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin without any."""
        monkeypatch.setattr(sys, "dont_write_bytecode", True)  # which may be older than a file
        self.core_file, self.events = core_file, core_file("bronze_events", EVENTS)

    def night(self, number: int) -> None:
        """Log the changes of a night."""
        rows = pl.DataFrame(NIGHTS[number], ["item", "count"], orient="row")
        self.events.CHANGES.append(rows)
        materialize(self.events.extract, [])

    def run(self, way: Way, *, full_refresh: bool = False) -> Materialized:
        """Run the asset in one way."""
        sys.modules.pop("core.silver_latest", None)
        increments._statements.cache_clear()
        module = self.core_file("silver_latest", LATEST.format(*way))
        upstream = [AssetId.parse("bronze_events")]
        return materialize(module.transform, upstream, full_refresh=full_refresh)


@pytest.fixture
def latest(core_file: CoreFile, monkeypatch: pytest.MonkeyPatch) -> Latest:
    """Return the asset and its source."""
    return Latest(core_file, monkeypatch)


@pytest.mark.parametrize(
    ("before", "after", "read_"),
    [
        (WHOLE, NEW, OTHERS),
        (WHOLE, ADDED, OTHERS),
        (WHOLE, TOUCHED, OTHERS),
        (WHOLE, OWN_WHOLE, None),
        (NEW, WHOLE, None),
        (TOUCHED, WHOLE, None),
        (ADDED, NEW, OTHERS),
        (NEW, ADDED, OTHERS),
        (NEW, TOUCHED, CODE),
        (TOUCHED, NEW, CODE),
        (NEW, NEW_AND_OWN, "read what is new"),
        (OWN, NEW_AND_OWN, "read everything: bronze_events was replaced"),
    ],
)
def test_rows_are_kept_or_computed_anew(
    latest: Latest, before: Way, after: Way, read_: str | None
) -> None:
    latest.night(0)
    latest.run(before)
    latest.night(1)
    assert latest.run(after).read == read_
    assert sorted(read("silver_latest").rows()) == [(1, 1), (2, 3), (3, 4)]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (OWN, WHOLE, LEFT),
        (OWN, NEW, LEFT),
        (OWN, TOUCHED, LEFT),
        (OWN, ADDED, LEFT),
        (OWN_WHOLE, WHOLE, LEFT),
        (WHOLE, OWN, BEGINS),
        (ADDED, OWN, BEGINS),
    ],
)
def test_only_a_full_refresh_replaces_what_cannot_be(
    latest: Latest, before: Way, after: Way, says: str
) -> None:
    latest.night(0)
    latest.run(before)
    latest.night(1)
    with pytest.raises(
        AssetError, match=f"^{says}.*:  python run_polster.py --asset silver_latest"
    ):
        latest.run(after)
    assert sorted(read("silver_latest").rows()) == [(1, 1), (2, 2)]
    latest.run(after, full_refresh=True)
    assert sorted(read("silver_latest").rows()) == [(1, 1), (2, 3), (3, 4)]
    latest.run(after)
    assert sorted(read("silver_latest").rows()) == [(1, 1), (2, 3), (3, 4)]
