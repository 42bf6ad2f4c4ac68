"""The templates of incremental assets, through nights of changes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told
from tests.generated.test_asset_life import done, is_clean, link_environment, polster

START = datetime(2026, 1, 1)  # noqa: DTZ001 - as most logs say it
SCHEMA = {
    "order_id": pl.Int64,
    "customer": pl.String,
    "amount": pl.Float64,
    "deleted": pl.Boolean,
    "updated_at": pl.Datetime,
}
Event = tuple[int, str, float, bool]
NIGHTS: list[list[Event]] = [
    [(order, f"c{order % 10}", 1.0, False) for order in range(1, 101)],
    [(1, "c1", 5.0, False), (2, "c2", 1.0, True)],
    [(1, "c3", 5.0, False), (101, "c1", 9.0, False)],
]
ASSETS = {
    "silver_orders": (
        *("events", "latest", "--key", "order_id:Int64", "--order-by", "updated_at:Datetime"),
        *("--columns", "customer,amount:Float64", "--deleted", "deleted"),
    ),
    "silver_states": (
        *("events", "history", "--key", "order_id:Int64", "--order-by", "updated_at:Datetime"),
        *("--columns", "customer,amount:Float64", "--deleted", "deleted:Boolean"),
    ),
    "silver_log": ("events", "append", "--columns", "order_id:Int64,amount:Float64"),
    "gold_customers": ("orders", "per-entity", "--key", "customer"),
}


@pytest.fixture
def shop(project: MakeProject) -> Generated:
    """Return a project with a change log, and an asset of each template over it."""
    shop = project(samples=False)
    link_environment(shop)
    shop.place("bronze_events", "change_log")
    (shop.root / "log").mkdir()
    for stem, (upstream, template, *options) in ASSETS.items():
        layer, name = stem.split("_")
        given = ("--layer", layer, "--name", name, "--dependencies", upstream)
        done(polster(shop, "add-asset", *given, "--template", template, *options))
    return shop


def log(shop: Generated, number: int) -> None:
    """Log the changes of a night."""
    rows = [
        (*event, START + timedelta(days=number, seconds=second))
        for second, event in enumerate(NIGHTS[number])
    ]
    pl.DataFrame(rows, SCHEMA, orient="row").write_parquet(shop.root / f"log/{number}.parquet")


def night(shop: Generated, number: int) -> dict[str, Any]:
    """Log the changes of a night, and run everything."""
    log(shop, number)
    return {asset["key"]: asset for asset in shop.json()["assets"]}


def rows(shop: Generated, asset: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return some columns of what a reader gets."""
    return sorted(tuple(row[name] for name in columns) for row in shop.rows(asset))


def test_each_night_reads_what_is_new(shop: Generated) -> None:
    for number in range(len(NIGHTS)):
        ran = night(shop, number)
    assert ran["run_silver_orders"]["rows"] == 2
    assert ran["run_silver_log"]["rows"] == 2
    orders = rows(shop, "silver_orders", "order_id", "customer", "amount")
    assert orders[:2] == [(1, "c3", 5.0), (3, "c3", 1.0)]
    assert orders[-1] == (101, "c1", 9.0)
    assert len(rows(shop, "silver_log", "order_id")) == 104
    states = [row for row in shop.rows("silver_states") if row["order_id"] in {1, 2}]
    ended = {
        (row["order_id"], row["customer"], row["amount"]): row["valid_to"] is not None
        for row in states
    }
    assert ended == {
        (1, "c1", 1.0): True,
        (1, "c1", 5.0): True,
        (1, "c3", 5.0): False,
        (2, "c2", 1.0): True,
    }
    assert dict(rows(shop, "gold_customers", "customer", "rows")) == {
        **dict.fromkeys([f"c{number}" for number in range(10)], 10),
        "c2": 9,
        "c3": 11,
    }
    is_clean(shop)


def test_why_everything_was_read_is_told(shop: Generated) -> None:
    for number in range(2):
        night(shop, number)
    said = done(shop.run()).stdout
    assert "read everything" not in said
    shop.edit("src/core/gold_customers.py", "orders.group_by", 'orders.sort("customer").group_by')
    said = done(shop.run()).stdout
    assert "read everything: its code has changed" in said
    shop.edit("src/core/gold_customers.py", "orders.sort", "orders.unique().sort")
    told = ("-m", "polster_runtime", "state")
    shown = done(shop.python(*told, "show", "silver_orders", "gold_customers")).stdout
    assert "bronze_events up to 3" in shown
    assert shown.count("the next run reads everything: its code has changed\n") == 1
    accepted = done(shop.python(*told, "accept", "customers"))
    assert accepted.stdout == "gold_customers: the next run keeps its rows, and reads what is new\n"
    assert "read everything" not in done(shop.run()).stdout


def test_renamed_and_removed(shop: Generated) -> None:
    for number in range(2):
        night(shop, number)
    for old, new in (("bronze_events", "changes"), ("silver_orders", "sales")):
        done(polster(shop, "rename-asset", old, new))
    log(shop, 2)
    said = done(shop.run()).stdout
    assert "read everything" not in said
    assert rows(shop, "silver_sales", "order_id", "customer")[:2] == [(1, "c3"), (3, "c3")]
    assert dict(rows(shop, "gold_customers", "customer", "rows"))["c3"] == 11
    preview = ("-m", "polster_runtime", "preview", "silver_sales", "--history", "--json")
    shown = done(shop.python(*preview)).stdout
    (snapshot,) = json.loads(shown)["snapshots"]
    assert snapshot["asset"] == "run_silver_sales"
    assert (snapshot["rows"], snapshot["files"]) == (100, 3)
    done(polster(shop, "remove-asset", "gold_customers", "--data", "--force"))
    assert "1 snapshot;" in done(polster(shop, "remove-asset", "silver_sales", "--force")).stdout
    assert not (shop.root / "data/gold/customers").exists()
    assert "read everything" not in done(shop.run()).stdout
    is_clean(shop)


def test_a_source_that_shows_only_today(project: MakeProject) -> None:
    shop = project(samples=False)
    link_environment(shop)
    code = """
    def extract() -> pl.LazyFrame:
        return pl.scan_csv("stock.csv", infer_schema=False)
    """
    shop.add("bronze_stock", code)
    given = ("--layer", "silver", "--name", "levels", "--dependencies", "stock")
    kept = ("--template", "history", "--key", "item", "--columns", "count")
    done(polster(shop, "add-asset", *given, *kept))
    for text in ("item,count\na,1\nb,2\n", "item,count\na,1\nb,3\n", "item,count\na,1\n"):
        (shop.root / "stock.csv").write_text(text, encoding="utf-8")
        done(shop.run())
    ended = [
        (row["item"], row["count"], row["valid_to"] is not None)
        for row in shop.rows("silver_levels")
    ]
    assert sorted(ended) == [("a", "1", False), ("b", "2", True), ("b", "3", True)]
    done(shop.pytest())
    done(shop.tool("ruff", "check", "--no-cache", "src/core/silver_levels.py", "tests"))
    done(shop.python("-m", "mypy"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("latest", "--key", "id:Int", "--order-by", "at"), "--key: Int is not a type"),
        (("latest", "--key", "id", "--order-by", "id"), "id is named twice"),
        (("latest", "--key", "order id", "--order-by", "at-x"), "'at-x' cannot be a column"),
        (("history", "--key", "id"), "missing option --columns"),
        (("history", "--key", "id", "--columns", "a", "--order-by", "x,y"), "names one column"),
    ],
)
def test_options_that_mean_nothing(
    project: MakeProject, options: tuple[str, ...], says: str
) -> None:
    shop = project(samples=False)
    shop.place("bronze_events", "change_log")
    given = ("--layer", "silver", "--name", "x", "--dependencies", "events", "--template")
    found = polster(shop, "add-asset", *given, *options)
    assert found.returncode == 2, told(found)
    assert says in found.stderr
    assert not (shop.root / "src/core/silver_x.py").exists()
