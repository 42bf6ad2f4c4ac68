"""What a contract lets through keeps all of it, no value changed; what it rejects is as it came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.io.plugins import register_io_source
from polars.testing import assert_frame_equal

from polster_runtime.assets import contract as contracts
from polster_runtime.assets.contract import Contract, check, part
from polster_runtime.assets.rule_text import rule_in_words
from polster_runtime.assets.rules import RULE, columns_of, look_at_other_rows, query_of
from polster_runtime.errors import AssetError

FEW, MANY = 1, 1_000_000
"""Rows that are said to be there: they are split in memory, or streamed."""
NOON = datetime.fromisoformat("2026-01-01T12:00")


def split(rows: pl.DataFrame, contract: Contract, said: int = FEW) -> tuple[pl.DataFrame, Any]:
    """Return what is published of some rows, and what is rejected."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "rows.parquet")
        rows.write_parquet(file)
        found = check(pl.scan_parquet(file), said, contract, Path(folder, "rows.evaluated"))
        good = pl.scan_parquet(file) if found.good is None else found.good
        bad = found.bad.collect()
        assert found.rejected == bad.height
        at_once = split_at_once(rows.lazy(), contract, Path(folder))
        if at_once is not None:
            assert_frame_equal(at_once[0], good.collect())
            assert_frame_equal(at_once[1], bad.select(at_once[1].columns))
        return good.collect(), bad


def split_at_once(
    rows: pl.LazyFrame, contract: Contract, folder: Path
) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Return what is published of a query, and what is rejected; None where it is staged first."""
    parts = part(rows, contract, folder / "rows.at_once")
    if parts is None:
        return None
    sink = parts.good.sink_parquet(folder / "good.parquet", lazy=True)
    pl.collect_all([parts.bad, sink], engine="streaming")
    found = parts.checked()
    bad = found.bad.collect()
    assert found.rejected == bad.height
    return pl.read_parquet(folder / "good.parquet"), bad


class Large(dy.Schema):
    """One rule of one row, and a key."""

    id = dy.Int64(primary_key=True)
    share = dy.Float64(min=0.5)


def test_a_query_is_computed_once_however_it_is_split(tmp_path: Path) -> None:
    """What is random in it would else be another in the published and in the rejected rows."""
    calls = list[int]()

    def shuffled(rows: pl.DataFrame) -> pl.DataFrame:
        calls.append(rows.height)
        return rows.with_columns(pl.col("share").shuffle())

    def frames(*_: Any) -> Iterator[pl.DataFrame]:
        calls.append(0)
        yield shuffled(rows)

    rows = pl.DataFrame({"id": range(20_000)}).with_columns(share=pl.col("id") / 20_000)
    queries = (
        rows.lazy().with_columns(pl.col("share").shuffle()),
        rows.lazy().map_batches(shuffled, schema=rows.schema),
        rows.lazy().with_columns(pl.col("share").map_batches(lambda s: s.shuffle())),
        register_io_source(frames, schema=rows.schema),
    )
    for number, query in enumerate(queries):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = split_at_once(query, Large, folder)
        assert found is not None
        good, bad = found
        assert sorted([*good["id"], *bad["id"]]) == list(range(20_000))
        assert sorted([*good["share"], *bad["share"]]) == rows["share"].to_list()
        assert (good.height, good["share"].min()) == (10_000, 0.5)
    assert calls == [20_000, 0, 20_000]


def test_dataframely_still_has_the_query_of_the_rows_that_failed() -> None:
    """Without it contracts are slower: rows are staged first, then split."""
    _, failure = Large.filter(Large.create_empty().lazy())
    assert query_of(failure) is not None
    assert query_of(object()) is None


def column(contract: dy.Column, values: list[Any], kind: Any) -> tuple[list[Any], pl.DataFrame]:
    """Return what is published and rejected of a column."""
    made: Contract = type("Contract", (dy.Schema,), {"x": contract, "__module__": __name__})
    good, bad = split(pl.DataFrame({"x": pl.Series(values, dtype=kind)}), made)
    assert made.is_valid(good)
    return good["x"].to_list(), bad


class Invoices(dy.Schema):
    """One main line an invoice."""

    invoice = dy.Int64()
    main = dy.Int64()
    amount = dy.Float64(min=0)

    @dy.rule()
    def one_main_line(cls) -> pl.Expr:  # noqa: N805 - so dataframely has it
        """Hold for a whole invoice."""
        return pl.col("main").sum().over("invoice") == 1


@pytest.mark.parametrize("said", [FEW, MANY])
def test_d7_what_is_published_keeps_the_rules_of_groups(said: int) -> None:
    rows = pl.DataFrame(
        {"invoice": [1, 1, 2, 2], "main": [1, 0, 1, 0], "amount": [-1.0, 5.0, 1.0, 2.0]}
    )
    good, bad = split(rows, Invoices, said)
    assert Invoices.is_valid(good)
    assert good.rows() == [(2, 1, 1.0), (2, 0, 2.0)]
    assert bad.rows() == [(1, 1, -1.0, ["amount|min"]), (1, 0, 5.0, ["one_main_line"])]


class Chain(dy.Schema):
    """Each row needs the one before it."""

    n = dy.Int64()

    @dy.rule()
    def follows(cls) -> pl.Expr:  # noqa: N805 - so dataframely has it
        """Hold where the number before is there."""
        return (pl.col("n") == 1) | (pl.col("n").diff() == 1)


def test_d7_rules_are_evaluated_until_nothing_more_breaks_them() -> None:
    good, bad = split(pl.DataFrame({"n": [1, 2, 4, 5, 6]}), Chain)
    assert (good["n"].to_list(), bad["n"].to_list()) == ([1, 2], [4, 5, 6])


def test_d7_rules_that_never_settle_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "MOST_ROUNDS", 3)
    with pytest.raises(AssetError, match="still reject rows after 3 evaluations"):
        split(pl.DataFrame({"n": [1, *range(3, 9)]}), Chain)


def test_d7_polars_tells_rules_of_one_row_from_others() -> None:
    """A change of how Polars shows its plans would be noticed here."""

    def of(expression: pl.Expr) -> bool:
        names = {"a": dy.Int64(), "rule": rule(expression), "__module__": __name__}
        return look_at_other_rows(type("Contract", (dy.Schema,), names))

    a = pl.col("a")
    assert [of(one) for one in (a > 0, a.is_null() | a.is_in([1]), pl.lit(value=True))] == [
        False
    ] * 3
    others = (a.sum().over("a") > 0, a > a.mean(), a.is_unique(), a.shift() < a, a.rank() > 1)
    assert [of(one) for one in others] == [True] * 5


ONE_IN_BERLIN = datetime(2026, 1, 1, tzinfo=UTC)
"""Which is midnight in UTC."""
LOSSES: dict[str, tuple[dy.Column, list[Any], Any, list[Any]]] = {
    "fractions": (dy.Int64(), [1.7, 1.0, float("nan"), 1e30], pl.Float64, [1]),
    "cents": (
        dy.Decimal(12, 2),
        ["12.349", "12.30", "12.3400", "1e-3", "1e2"],
        pl.String,
        [Decimal("12.30"), Decimal("12.34"), Decimal("100.00")],
    ),
    "cents of floats": (dy.Decimal(12, 2), [12.349, 12.35], pl.Float64, [Decimal("12.35")]),
    "digits of floats": (
        dy.Decimal(4, 2),
        [99.99, 99.999, 1e9, float("inf"), float("nan")],
        pl.Float64,
        [Decimal("99.99")],
    ),
    "cents of decimals": (
        dy.Decimal(12, 2),
        [Decimal("12.349"), Decimal("12.350")],
        pl.Decimal(12, 3),
        [Decimal("12.35")],
    ),
    "times of day": (
        dy.Date(),
        [NOON, NOON.replace(hour=0)],
        pl.Datetime("us"),
        [date(2026, 1, 1)],
    ),
    "booleans": (dy.Bool(), [2, 1, 0], pl.Int64, [True, False]),
    "text of booleans": (dy.Bool(), ["true", "False", "2"], pl.String, [True, False]),
    "range": (dy.Int8(), [128, -128], pl.Int64, [-128]),
    "whole numbers in floats": (dy.Float64(), [2**53 + 1, 2**53], pl.Int64, [2.0**53]),
    "long text": (
        dy.Float64(),
        ["12345678901234567.89", "0.1", "9007199254740993", "1e300", "1e400", "05"],
        pl.String,
        [0.1, 1e300, 5.0],
    ),
    "decimals in floats": (
        dy.Float64(),
        [Decimal("12345678901234567.89"), Decimal("0.10")],
        pl.Decimal(38, 2),
        [0.1],
    ),
    "short floats": (dy.Float32(), [0.1, 0.5], pl.Float64, [0.5]),
    "text": (dy.Int64(), ["5", "05", "5.0", "five"], pl.String, [5, 5]),
    "numbers in text": (dy.String(), [1, 2], pl.Int64, ["1", "2"]),
    "dates": (
        dy.Date(),
        ["2026-02-28", "31.02.2026", "2026-02-31", "26-02-28"],
        pl.String,
        [date(2026, 2, 28)],
    ),
    "moments": (
        dy.Datetime(time_unit="ms"),
        [
            "2026-01-01T12:00:00.000",
            "2026-01-01 12:00",
            "2026-01-01T12:00:00.0001",
            "2016-12-31T23:59:60",
            "26-01-01T12:00:00",
        ],
        pl.String,
        [NOON, NOON],
    ),
    "moments in zones": (
        dy.Datetime(time_unit="us", time_zone="UTC"),
        ["2026-01-01T12:00:00Z", "2026-01-01T13:00:00+01:00", "2026-01-01T12:00:00"],
        pl.String,
        [NOON.replace(tzinfo=UTC)] * 2,
    ),
    "clocks": (
        dy.Time(),
        ["12:00", "12:00:00.5", "25:00"],
        pl.String,
        [time(12), time(12, 0, 0, 500_000)],
    ),
    "units": (
        dy.Datetime(time_unit="ms"),
        [NOON, NOON.replace(microsecond=1)],
        pl.Datetime("us"),
        [NOON],
    ),
    "zones": (dy.Datetime(time_unit="us"), [NOON], pl.Datetime("us", "Europe/Berlin"), []),
    "days in zones": (dy.Date(), [ONE_IN_BERLIN], pl.Datetime("us", "Europe/Berlin"), []),
    "days of zones": (dy.Datetime(time_zone="Europe/Berlin"), [date(2026, 1, 1)], pl.Date, []),
    "zones in lists": (
        dy.List(dy.Datetime()),
        [[ONE_IN_BERLIN]],
        pl.List(pl.Datetime("us", "Europe/Berlin")),
        [],
    ),
    "numbers as days in lists": (dy.List(dy.Date()), [[20_260_101]], pl.List(pl.Int64), []),
    "numbers in text in lists": (dy.List(dy.String()), [[1]], pl.List(pl.Int64), [["1"]]),
    "dates in lists": (
        dy.List(dy.Date(nullable=True)),
        [["2026-01-01"], ["31.02.2026", "2026-01-01"], ["26-01-01"], [None, "2026-01-02"], []],
        pl.List(pl.String),
        [[date(2026, 1, 1)], [None, date(2026, 1, 2)], []],
    ),
    "moments in lists of lists": (
        dy.List(dy.List(dy.Datetime(time_unit="us"))),
        [[["2026-01-01T12:00"]], [["noon"]], [["2026-01-01 12:00:00"], []]],
        pl.List(pl.List(pl.String)),
        [[[NOON]], [[NOON], []]],
    ),
    "text in arrays": (
        dy.Array(dy.Int64(nullable=True), 2),
        [["5", "05"], ["5", "five"], ["5", None]],
        pl.Array(pl.String, 2),
        [[5, 5], [5, None]],
    ),
    "text in objects": (
        dy.Struct({"d": dy.Date(nullable=True), "n": dy.Decimal(9, 2, nullable=True)}),
        [{"d": "2026-01-01", "n": "1.20"}, {"d": "x", "n": "1"}, {"d": None, "n": "1.234"}],
        pl.Struct({"n": pl.String, "d": pl.String}),
        [{"d": date(2026, 1, 1), "n": Decimal("1.20")}],
    ),
    "bytes": (dy.String(), [b"K\xc3\xb6ln", b"K\xf6ln"], pl.Binary, ["Köln"]),
    "bytes of choices": (dy.Enum(["a"]), [b"a", b"b", b"\xff"], pl.Binary, ["a"]),
    "bytes in lists": (
        dy.List(dy.String()),
        [[b"a"], [b"a", b"\xff"]],
        pl.List(pl.Binary),
        [["a"]],
    ),
    "objects": (dy.String(), [{"a": 1}], pl.Struct({"a": pl.Int64}), []),
    "numbers as days": (dy.Date(), [20_260_101], pl.Int64, []),
    "choices": (dy.Enum(["a"]), ["a", "b"], pl.Enum(["a", "b"]), ["a"]),
    "lists": (dy.List(dy.Int64()), [[1.0], [1.5]], pl.List(pl.Float64), [[1]]),
}


@pytest.mark.parametrize("case", LOSSES)
def test_d8_a_cast_that_changes_a_value_is_a_rejection(case: str) -> None:
    contract, values, kind, expected = LOSSES[case]
    good, bad = column(contract, values, kind)
    assert good == expected
    assert bad.schema["x"] == kind
    assert Counter(map(repr, bad["x"])) <= Counter(map(repr, pl.Series(values, dtype=kind)))
    assert bad.height == len(values) - len(expected)
    assert {rule for rules in bad["_broken_rules"] for rule in rules} <= {"x|dtype", "x|exact"}


def test_d8_a_changed_value_has_a_reason_of_its_own() -> None:
    _, bad = column(dy.Int64(nullable=False, min=2), [1.7, None, float("nan"), 1.0], pl.Float64)
    assert bad["_broken_rules"].to_list() == [
        ["x|exact"],
        ["x|nullability"],
        ["x|dtype"],
        ["x|min"],
    ]
    made: Contract = type("Contract", (dy.Schema,), {"x": dy.Int64(), "__module__": __name__})
    assert rule_in_words(made, "x|exact") == "x is Int64 without a change"


def test_d8_a_part_that_cannot_be_cast_has_the_reason_of_a_whole() -> None:
    days = dy.List(dy.Date(nullable=True), nullable=False)
    _, bad = column(days, [["x"], None, ["26-01-01"], ["2026-01-01"]], pl.List(pl.String))
    assert bad["_broken_rules"].to_list() == [["x|dtype"], ["x|nullability"], ["x|exact"]]
    _, bad = column(dy.String(), [b"\xff"], pl.Binary)
    assert bad["_broken_rules"].to_list() == [["x|dtype"]]


ROUNDED: dict[str, tuple[dy.Column, list[Any], Any, list[Any]]] = {
    "fractions": (dy.Int64(metadata={"rounded": True}), [1.7, 2.4], pl.Float64, [2, 2]),
    "cents": (
        dy.Decimal(12, 2, metadata={"rounded": True}),
        ["12.349"],
        pl.String,
        [Decimal("12.35")],
    ),
    "days": (dy.Date(metadata={"rounded": True}), [NOON], pl.Datetime("us"), [NOON.date()]),
    "floats": (dy.Float32(metadata={"rounded": True}), [0.5, 1e300], pl.Float64, [0.5]),
    "no truth": (dy.Bool(metadata={"rounded": True}), [2, 1], pl.Int64, [True]),
}


@pytest.mark.parametrize("case", ROUNDED)
def test_d8_a_contract_may_say_that_values_are_rounded(case: str) -> None:
    contract, values, kind, expected = ROUNDED[case]
    assert column(contract, values, kind)[0] == expected


class Wide(dy.Schema):
    """One of several columns that come."""

    day = dy.Date()


def test_d8_a_rejected_row_has_every_column_as_it_came() -> None:
    rows = pl.DataFrame({"note": ["a", "b"], "day": ["2026-01-01", "31.02.2026"], "n": [1.5, 2.5]})
    good, bad = split(rows, Wide)
    assert good.rows() == [(date(2026, 1, 1),)]
    assert bad.rows() == [("b", "31.02.2026", 2.5, ["day|dtype"])]


def test_d8_what_cannot_be_cast_at_all_names_its_column() -> None:
    with pytest.raises(AssetError, match=r"day is List\(Int64\), which cannot become Date"):
        split(pl.DataFrame({"day": [[1]]}), Wide)


def test_d8_a_rule_that_fails_names_its_column() -> None:
    class Broken(dy.Schema):
        ok = dy.Int64(min=0)
        name = dy.String(regex="[")

    rows = pl.DataFrame({"ok": [1], "name": ["a"]})
    with pytest.raises(AssetError, match=r"the rule name\|regex \(of name\) of the contract"):
        split(rows, Broken)


def test_d8_the_columns_of_a_rule_are_known() -> None:
    assert columns_of(Invoices, "amount|min") == ["amount"]
    assert columns_of(Invoices, "one_main_line") == ["main", "invoice"]
    assert columns_of(Invoices, "gone") == []


def test_a_contract_without_rules_lets_everything_through() -> None:
    class Free(dy.Schema):
        x = dy.Int64(nullable=True)

    good, bad = split(pl.DataFrame({"x": [1, None]}), Free)
    assert (good["x"].to_list(), bad.height) == ([1, None], 0)


COLUMNS = st.sampled_from(
    [
        lambda nullable, unique: dy.Int64(nullable=nullable, unique=unique),
        lambda nullable, unique: dy.Int8(nullable=nullable, unique=unique, min=0),
        lambda nullable, unique: dy.Float64(nullable=nullable, unique=unique, max=100),
        lambda nullable, unique: dy.Decimal(6, 1, nullable=nullable, unique=unique),
        lambda nullable, unique: dy.String(nullable=nullable, unique=unique, max_length=3),
        lambda nullable, unique: dy.Bool(nullable=nullable, unique=unique),
        lambda nullable, unique: dy.Date(nullable=nullable, unique=unique),
        lambda nullable, unique: dy.Enum(["1", "2"], nullable=nullable, unique=unique),
    ]
)
VALUES = {
    pl.Int64(): st.integers(-3, 300),
    pl.Float64(): st.sampled_from([0.0, 1.0, 1.5, 2.0, 100.25, 1e30, float("nan")]),
    pl.String(): st.sampled_from(["0", "1", "2", "1.55", "true", "2026-01-01", "31.02.2026", ""]),
    pl.Decimal(10, 3): st.sampled_from([Decimal("1.500"), Decimal("1.555"), Decimal(7)]),
    pl.Boolean(): st.booleans(),
}
RULES = {
    "sum_of_group": pl.len().over("a") <= 2,
    "below_all": pl.col("b").is_null() | (pl.col("b").rank("dense") <= 3),
    "both": pl.col("a").is_null() == pl.col("b").is_null(),
}


def rule(expression: pl.Expr) -> Any:
    """Return a rule as `@dy.rule()` makes it."""
    return RULE(lambda _: expression)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Contract, pl.DataFrame]:
    """Return a random contract and a frame for it."""
    height = draw(st.integers(0, 8))
    names: dict[str, Any] = {"__module__": __name__}
    data = {"n": pl.Series(range(height), dtype=pl.Int64)}
    for name in "ab":
        names[name] = draw(COLUMNS)(draw(st.booleans()), draw(st.integers(0, 4)) == 0)
        kind = draw(st.sampled_from(list(VALUES)))
        values = VALUES[kind] | st.none()
        data[name] = pl.Series(draw(st.lists(values, min_size=height, max_size=height)), dtype=kind)
    for name in draw(st.sets(st.sampled_from(sorted(RULES)))):
        names[name] = rule(RULES[name])
    return type("Contract", (dy.Schema,), names), pl.DataFrame(data)


@settings(max_examples=60, deadline=None)
@given(case=cases(), said=st.sampled_from([FEW, MANY]))
def test_published_and_rejected_are_the_input(
    case: tuple[Contract, pl.DataFrame], said: int
) -> None:
    """Whatever the contract: it holds for what is published, and each value is as it came."""
    contract, rows = case

    class Numbered(contract):  # type: ignore[misc, valid-type]
        n = dy.Int64()

    try:
        good, bad = split(rows, Numbered, said)
    except AssetError as error:
        assert "which cannot become" in str(error)  # noqa: PT017 - it is one of two right ends
        return
    assert Numbered.is_valid(good)
    assert Counter([*good["n"], *bad["n"]]) == Counter(range(rows.height))
    assert bad.select(rows.columns).equals(rows.filter(pl.col("n").is_in(bad["n"].implode())))
    assert all(bad["_broken_rules"].list.len() > 0)
    for name in "ab":
        came = rows.filter(pl.col("n").is_in(good["n"].implode())).sort("n")[name]
        for before, after in zip(came, good.sort("n")[name], strict=True):
            assert means(before, after), (before, after)


def means(before: Any, after: Any) -> bool:
    """Whether a published value is what came, as Python compares them."""
    if isinstance(before, str) and not isinstance(after, str):
        texts = {str(after), str(after).lower()}
        return before in texts or (not isinstance(after, date) and float(before) == float(after))
    if isinstance(after, str):
        return before is not None
    both_nan = before != before and after != after  # noqa: PLR0124
    return bool(before == after or both_nan)
