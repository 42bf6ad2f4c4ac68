"""Whatever comes: good rows + rejected rows = input, and each rejected row names what it broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dataframely as dy
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from polster_runtime.assets.contract import check

Row = dict[str, Any]


class Contract(dy.Schema):
    """A rule of each kind."""

    n = dy.Int64(nullable=False)
    id = dy.Int64(primary_key=True)
    amount = dy.Float64(nullable=False, min=0, max=100)
    kind = dy.Enum(["a", "b"], nullable=True)
    low = dy.Int64(nullable=True)
    high = dy.Int64(nullable=True)

    @dy.rule()
    def low_is_below_high(cls) -> pl.Expr:  # noqa: N805 - so dataframely has it
        """Hold where both are known."""
        return pl.col("low") <= pl.col("high")


KINDS = {
    "n": pl.Int64,
    "id": pl.String,
    "amount": pl.String,
    "kind": pl.String,
    "low": pl.Int64,
    "high": pl.Int64,
}
NUMBERS = st.sampled_from(["0", "1", "2", "3", "7", "-1", "100", "101", "x", "", None])
FRAMES = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["1", "2", "3", "4", "5", "6", "x", None]),
            "amount": NUMBERS,
            "kind": st.sampled_from(["a", "b", "c", None]),
            "low": st.integers(0, 3) | st.none(),
            "high": st.integers(0, 3) | st.none(),
        }
    ),
    max_size=12,
)


@dataclass(frozen=True)
class Split:
    """What came of some rows."""

    good: list[int]
    """The numbers of those that were published."""
    bad: list[Row]


def split(rows: Sequence[Row], *, rows_in_all: int) -> Split:
    """Check rows as a run does: in memory when they are said to be few, else streamed."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "rows.parquet")
        given_rows = pl.DataFrame(rows, schema=KINDS)
        given_rows.write_parquet(file)
        found = check(
            pl.scan_parquet(file), rows_in_all, Contract, Path(folder, "evaluated.parquet")
        )
        good = given_rows.lazy() if found.good is None else found.good
        bad = found.bad.collect().to_dicts()
        assert found.rejected == len(bad)
        return Split(good.collect()["n"].to_list(), bad)


def expected(rows: Sequence[Row]) -> dict[int, set[str]]:
    """Return the rules that each row breaks, as one reads the contract."""
    keys = Counter(row["id"] if _is_number(row["id"]) else None for row in rows)
    return {row["n"]: _broken(row, keys) for row in rows}


def _broken(row: Row, keys: Counter[str | None]) -> set[str]:
    types = {
        f"{name}|dtype": row[name] is None or _is_number(row[name]) for name in ("id", "amount")
    }
    types["kind|dtype"] = row["kind"] != "c"
    if not all(types.values()):  # what is of the wrong type cannot be asked anything else
        return {rule for rule, kept in types.items() if not kept}
    amount = None if row["amount"] is None else float(row["amount"])
    rules = {
        "primary_key": keys[row["id"]] == 1,
        "id|nullability": row["id"] is not None,
        "amount|nullability": amount is not None,
        "amount|min": amount is None or amount >= 0,
        "amount|max": amount is None or amount <= 100,
        "low_is_below_high": None in (row["low"], row["high"]) or row["low"] <= row["high"],
    }
    return {rule for rule, kept in rules.items() if not kept}


def _is_number(text: str | None) -> bool:
    return text is not None and text.lstrip("-").isdigit()


@settings(max_examples=75, deadline=None)
@given(rows=FRAMES, rows_in_all=st.sampled_from([1, 1_000_000]))
def test_good_and_rejected_rows_are_the_input(rows: list[Row], rows_in_all: int) -> None:
    rows = [{"n": n, **row} for n, row in enumerate(rows)]
    found = split(rows, rows_in_all=rows_in_all)
    broken = expected(rows)
    bad = {row["n"]: set(row["_broken_rules"]) for row in found.bad}
    assert bad == {n: rules for n, rules in broken.items() if rules}
    assert sorted(found.good) == [n for n, rules in broken.items() if not rules]
    came = {row["n"]: row for row in rows}
    for row in found.bad:
        assert {name: row[name] for name in came[row["n"]]} == came[row["n"]]
