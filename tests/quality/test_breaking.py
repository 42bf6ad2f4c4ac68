"""Each way to break the sample contract: the right rows under the right rule, and gold right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told

VICTIMS = [1001, 1002, 1003]
"""Orders of the samples that are as they should be."""

SOURCE = "src/core/bronze_example.py"
BREAKING = '''
def extract() -> pl.DataFrame:
    """What the till sends, broken."""
    rows = pl.concat(_sound())
    broken = pl.col("order_id").is_in({victims})
    return {how}
'''
WRONG_TYPE = 'rows.with_columns(pl.col("amount").cast(pl.String)).with_columns(amount={})'


def when(column: str, value: str) -> str:
    """Return code that gives a column of the victims another value."""
    return f'rows.with_columns({column}=pl.when(broken).then({value}).otherwise("{column}"))'


DUPLICATE = (
    'pl.concat([rows, rows.filter(broken).with_columns(quantity=pl.col("quantity") + 1, '
    'amount=pl.col("amount") + pl.col("unit_price"))], how="vertical_relaxed")'
)
WAYS: Mapping[str, tuple[str, str]] = {
    "wrong type": (
        WRONG_TYPE.format('pl.when(broken).then(pl.lit("12,50")).otherwise("amount")'),
        "amount|dtype",
    ),
    "null key": (when("order_id", "None"), "order_id|nullability"),
    "duplicate key": (DUPLICATE, "primary_key"),
    "out of range": (when("quantity", "-1"), "quantity|min"),
    "cross-column": (
        when("shipped_at", 'pl.col("ordered_at").dt.offset_by("-1s")'),
        "shipped_after_it_was_ordered",
    ),
    "foreign key": (when("customer_id", "12_345"), "customer_is_known"),
}


def rejected(shop: Generated) -> list[dict[str, Any]]:
    """Return the rows that the last run of silver_example rejected."""
    done = shop.program("rejected_rows")
    assert done.returncode == 0, told(done)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def break_source(shop: Generated, how: str) -> None:
    """Let the sample source send three rows that are broken."""
    text = (shop.root / SOURCE).read_text("utf-8").replace("def extract(", "def _sound(")
    code, main, rest = text.partition('\nif __name__ == "__main__":')
    code += BREAKING.format(victims=VICTIMS, how=how) + "\n"
    (shop.root / SOURCE).write_text(code + main + rest, encoding="utf-8")


@pytest.mark.parametrize("way", WAYS)
def test_bad_rows_are_quarantined_and_gold_stays_right(project: MakeProject, way: str) -> None:
    how, rule = WAYS[way]
    shop = project()
    flawed = 52  # rows of the samples that are flawed anyhow
    break_source(shop, how)
    outcome = shop.json()
    silver = next(one for one in outcome["assets"] if one["layer"] == "silver")

    bad = rejected(shop)
    ours = [
        row for row in bad if rule in row["_broken_rules"] and row["order_id"] in {*VICTIMS, None}
    ]
    count = 6 if way == "duplicate key" else 3
    assert len(ours) == count
    assert silver["rejected"] == len(bad) == flawed + count
    assert all(row["_run"] == outcome["run_id"] and row["_rejected_at"] for row in bad)
    assert silver["rows"] + len(bad) == 1200 + (3 if way == "duplicate key" else 0)

    good = shop.rows("silver_example")
    assert not {row["order_id"] for row in good} & {None, *VICTIMS}
    gold = shop.rows("gold_example")
    assert sum(row["orders"] for row in gold) == len(good) == 1148 - 3
    assert sum(Decimal(row["revenue"]) for row in gold) == sum(
        Decimal(row["amount"]) for row in good
    )
    if way == "wrong type":
        assert {row["amount"] for row in ours} == {"12,50"}  # as it came


def test_a_missing_column_stops_the_run(project: MakeProject) -> None:
    shop = project()
    assert shop.run().returncode == 0
    before = shop.files("silver_example"), shop.files("gold_example")
    break_source(shop, 'rows.drop("quantity")')
    outcome = shop.json(code=1)
    states = {one["key"]: (one["status"], one["error"]) for one in outcome["assets"]}
    error = "the contract names columns that are not there: quantity"
    assert states["run_silver_example"] == ("failed", error)
    assert states["run_gold_example"] == ("skipped", "silver_example failed")
    assert (shop.files("silver_example"), shop.files("gold_example")) == before
    assert shop.staged() == []
