"""`polster validate` on functions whose annotations do not go together: each at its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.handmade import polster, shop, write_project

SHOP = {
    "bronze_events": [],
    "silver_orders": ["bronze_events"],
    "gold_customers": ["silver_orders"],
}
BRONZE, SILVER = "src/core/bronze_events.py", "src/core/silver_orders.py"
GOLD = "src/core/gold_customers.py"
HEAD = """\
from typing import Annotated

import dataframely as dy
import polars as pl

from polster_runtime import Append, New, Own, Touched, Upsert, run


class Contract(dy.Schema):
    id = dy.Int64(primary_key=True)
    shop = dy.String(alias="the shop")


{definition}
    return {result}


if __name__ == "__main__":
    run({function})
"""
ID = 'Annotated[pl.LazyFrame, Touched("id")]'
UPSERT = "def transform(events: New) -> Upsert:"


def text(definition: str, drop: str = "") -> str:
    """Return a core file with a function, its `def` in line 14."""
    function = definition.partition("(")[0].removeprefix("def ")
    made = HEAD.format(definition=definition, function=function, result="pl.LazyFrame()")
    assert drop in made
    return made.replace(drop, "")


def found(tmp_path: Path, **files: str) -> list[str]:
    """Validate the project with other core files; return place, message and hint of each."""
    names = {"bronze": BRONZE, "silver": SILVER, "gold": GOLD}
    written = shop(SHOP) | {names[name]: file for name, file in files.items()}
    ran = polster(write_project(tmp_path, written).root, "validate", "--json")
    problems = json.loads(ran.out)["problems"]
    assert {one["rule"] for one in problems} <= {"increments"}
    assert ran.code == bool(problems)
    return [
        f"{Path(one['path']).stem}:{one['line']}:{one['column']} {one['message']} | {one['hint']}"
        for one in problems
    ]


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        ("def transform(events: New) -> pl.LazyFrame:", "14:31 New needs -> Append or -> Upsert"),
        ("def transform(events: New):", "14:5 New needs -> Append or -> Upsert"),
        ("def transform(events: pl.LazyFrame) -> New:", "14:40 transform() returns New, which"),
        ("def transform(events: Append) -> Append:", "14:15 events is Append, which says what"),
        (
            "def transform(events: pl.LazyFrame) -> Append:",
            "14:40 Append needs New or Own: else each run would add all rows again",
        ),
        (
            f"def transform(events: {ID}) -> Append:",
            "14:15 Touched needs -> Upsert, and goes with neither New nor Own",
        ),
        (
            f"def transform(events: {ID}, before: Own) -> Upsert:",
            "14:15 Touched needs -> Upsert, and goes with neither New nor Own",
        ),
        (
            "def transform(events: New, before: Own, own: Own) -> Upsert:",
            "14:41 before and own are both Own: one parameter may be",
        ),
        (
            'def transform(events: Annotated[pl.LazyFrame, Touched("id", "city")]) -> Upsert:',
            "14:15 the contract has no column 'city', which Touched names",
        ),
        (
            "def transform(events: Annotated[pl.LazyFrame, Touched()]) -> Upsert:",
            "14:15 Touched names no columns",
        ),
        ('def transform(events: "New") -> "pl.LazyFrame":', "14:33 New needs -> Append"),
    ],
)
def test_words_that_do_not_go_together(tmp_path: Path, definition: str, says: str) -> None:
    (one,) = found(tmp_path, silver=text(definition))
    assert one.startswith(f"silver_orders:{says}")


@pytest.mark.parametrize(
    ("drop", "definition", "says"),
    [
        ("primary_key=True", UPSERT, "silver_orders:9:7 Upsert needs a primary key: it says"),
        (
            HEAD[HEAD.index("class Contract") : HEAD.index("\n\n\n{")],
            "def transform(events: pl.LazyFrame, before: Own) -> pl.LazyFrame:",
            "silver_orders:12:37 Own needs a class Contract, which says what columns there are",
        ),
    ],
)
def test_a_contract_that_lacks_something(
    tmp_path: Path, drop: str, definition: str, says: str
) -> None:
    problems = found_all(tmp_path, text(definition, drop))
    assert any(one.startswith(says) for one in problems), problems


def found_all(tmp_path: Path, silver: str) -> list[str]:
    """Return place and message of all that is found, also by other rules."""
    written = shop(SHOP) | {SILVER: silver}
    ran = polster(write_project(tmp_path, written).root, "validate", "--json")
    return [
        f"{Path(one['path']).stem}:{one['line']}:{one['column']} {one['message']}"
        for one in json.loads(ran.out)["problems"]
    ]


def test_what_is_upstream(tmp_path: Path) -> None:
    gold = "def aggregate(orders: New) -> Append:"
    assert found(tmp_path / "new", silver=text(UPSERT), gold=text(gold)) == [
        (
            "gold_customers:14:15 orders is New, but silver_orders returns Upsert, which replaces "
            "and removes rows | Annotated[pl.LazyFrame, Touched(...)], or pl.LazyFrame for all rows"
        )
    ]
    silver = text(UPSERT).replace('alias="the shop"', "")
    gold = 'def aggregate(orders: Annotated[pl.LazyFrame, Touched("the shop")]) -> Upsert:'
    assert found(tmp_path / "touched", silver=silver, gold=text(gold)) == [
        (
            "gold_customers:14:15 silver_orders has no column 'the shop', which Touched names "
            "| it has id, shop"
        )
    ]


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        ("def extract(position: int) -> Upsert:", "14:31 Upsert is for silver and gold: a bronze"),
        ("def extract() -> Append:", "14:18 Append is for silver and gold: a bronze asset"),
    ],
)
def test_bronze_takes_none_of_them(tmp_path: Path, definition: str, says: str) -> None:
    (one,) = found(tmp_path, bronze=text(definition))
    assert one.startswith(f"bronze_events:{says}")
    assert one.endswith("polster add-asset --template latest")


@pytest.mark.parametrize(
    ("silver", "gold"),
    [
        (text(UPSERT), text(f"def aggregate(orders: {ID}) -> Upsert:")),
        (
            text("def transform(events: New) -> Append:"),
            text("def aggregate(orders: New, before: Own) -> Append:"),
        ),
        (text(UPSERT), text("def aggregate(orders: pl.LazyFrame, before: Own) -> pl.LazyFrame:")),
        (  # a contract that only running the file would tell
            text(UPSERT).replace("    id = dy.Int64(primary_key=True)\n", "    id = COLUMN\n"),
            text("def aggregate(orders: pl.LazyFrame) -> pl.LazyFrame:"),
        ),
        (  # another New than the runtime's
            text("def transform(events: New) -> pl.LazyFrame:").replace("New, Own", "Own"),
            text("def aggregate(orders: pl.LazyFrame) -> pl.LazyFrame:"),
        ),
    ],
)
def test_what_goes_together_raises_no_alarm(tmp_path: Path, silver: str, gold: str) -> None:
    assert found(tmp_path, silver=silver, gold=gold) == []
