"""Sums that overflow and products that lose places, found in the plan that Polars explains."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from polster_core.validation.deep.probe.arithmetic import losses
from polster_core.validation.deep.probe.contracts import differences

SCHEMA = {
    "i": pl.Int32(),
    "u": pl.UInt32(),
    "s": pl.Int16(),
    "n": pl.Int64(),
    "d": pl.Decimal(12, 2),
    "e": pl.Decimal(12, 3),
    "g": pl.String(),
}
Make = Callable[[pl.LazyFrame], pl.LazyFrame]
INT, D = pl.col("i"), pl.col("d")
FOUND: dict[str, tuple[Make, list[str]]] = {
    "sum": (lambda f: f.group_by("g").agg(INT.sum()), ["sums i, which is Int32"]),
    "running": (lambda f: f.select(INT.cum_sum()), ["sums i, which is Int32"]),
    "filtered": (
        lambda f: f.group_by("g").agg(pl.col("u").filter(INT > 1).sum()),
        ["sums u, which is UInt32"],
    ),
    "over": (lambda f: f.with_columns(z=INT.sum().over("g")), ["sums i, which is Int32"]),
    "wide": (lambda f: f.select(pl.col("n", "s").sum(), w=INT.cast(pl.Int64).sum()), []),
    "product": (
        lambda f: f.select(z=D * pl.col("e")),
        ["multiplies d by e, decimals of 2 and 3 places: Polars keeps 3 of 5"],
    ),
    "sum of products": (
        lambda f: f.group_by("g").agg(z=(D * D).sum()),
        ["multiplies d by d, decimals of 2 and 2 places: Polars keeps 2 of 4"],
    ),
    "by whole numbers": (lambda f: f.select(z=D * pl.col("n")), []),
}


@pytest.mark.parametrize("case", FOUND)
def test_d12_losses_are_found(case: str) -> None:
    make, expected = FOUND[case]
    plan = make(pl.LazyFrame(schema=SCHEMA)).explain(optimized=False)
    found = [message for message, _ in losses(plan, [SCHEMA])]
    assert [message.startswith(start) for message, start in zip(found, expected, strict=True)] == [
        True
    ] * len(expected)


def test_d12_polars_overflows_where_it_is_said_to() -> None:
    most = pl.Series([2**31 - 1] * 2, dtype=pl.Int32)
    assert most.sum() != 2 * (2**31 - 1)
    assert most.cast(pl.Int64).sum() == 2 * (2**31 - 1)


def test_d12_a_decimal_cut_by_its_contract_is_a_warning() -> None:
    got, want = {"x": pl.Decimal(38, 4)}, {"x": pl.Decimal(12, 2)}
    ((name, severity, _, hint),) = differences(got, want)
    assert (name, severity) == ("x", "warning")
    assert "more places" in hint
    assert list(differences(want, got)) == []
