"""A table whose rows change and are soft-deleted, through nights: what is kept is what it says."""
# ruff: noqa: S608 - the SQL is our own

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest

from tests.connectors.conftest import Shop, columns, succeed
from tests.connectors.mariadb import MariaDB

TABLE = (
    "CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(20), amount INT,"
    " deleted_at DATETIME(6), updated_at DATETIME(6) NOT NULL"
    " DEFAULT NOW(6) ON UPDATE NOW(6), KEY (updated_at))"
)
KEPT = ("--key", "id:Int64", "--columns", "customer,amount:Int64")
ORDER = ("--order-by", "updated_at:Datetime", "--deleted", "deleted_at:Datetime")
Row = tuple[int, str, int | None]


@pytest.fixture
def nightly(shop: Shop, mariadb: MariaDB) -> Shop:
    """Return a project that keeps the current rows of a table, their history, and sums of them."""
    mariadb.sql(TABLE)
    shop.add_mysql("orders", "--cursor", "updated_at", "--lag", "1h")
    for layer, name, *options in (
        ("silver", "current", "orders", "latest", *KEPT, *ORDER),
        ("silver", "states", "orders", "history", *KEPT, *ORDER),
        ("gold", "customers", "current", "per-entity", "--key", "customer"),
    ):
        upstream, template, *rest = options
        given = ("--layer", layer, "--name", name, "--dependencies", upstream)
        succeed(shop.polster("add-asset", *given, "--template", template, *rest))
    return shop


def change(mariadb: MariaDB, dice: random.Random, night: int) -> None:
    """Insert, change, delete and bring back rows: each row at most once a night."""
    if night == 0:
        rows = ", ".join(f"({row}, 'c{row % 9}', {row})" for row in range(60))
        mariadb.sql(f"INSERT INTO orders (id, customer, amount) VALUES {rows}")
        return
    ids = dice.sample(range(60), 10)
    moved, ended, deleted, back = ids[:3], ids[3:5], ids[5:8], ids[8:]
    update = "UPDATE orders SET"
    mariadb.sql(
        *(f"{update} customer = 'c{dice.randrange(9)}' WHERE id = {row}" for row in moved),
        *(f"{update} amount = NULL, customer = 'c1' WHERE id = {row}" for row in ended),
        *(f"{update} deleted_at = NOW(6) WHERE id = {row}" for row in deleted),
        *(f"{update} deleted_at = NULL, amount = 7 WHERE id = {row}" for row in back),
        f"INSERT INTO orders (id, customer, amount) VALUES ({100 + night}, 'new', 1)",
    )


def says(mariadb: MariaDB) -> tuple[datetime, list[Row]]:
    """Return the time by the database's clock, and the rows that are not deleted."""
    ((now,),) = mariadb.sql("SELECT NOW(6)")
    found = mariadb.sql("SELECT id, customer, amount FROM orders WHERE deleted_at IS NULL")
    rows = [
        (int(row), customer, None if amount == "NULL" else int(amount))
        for row, customer, amount in found
    ]
    return datetime.fromisoformat(now), sorted(rows, key=str)


def rows(shop: Shop, asset: str, *names: str) -> list[tuple[Any, ...]]:
    """Return some columns of what a reader gets."""
    found = columns(shop, asset)
    return list(zip(*(found[name][1] for name in names), strict=True))


def test_what_is_kept_of_a_table_is_what_it_says_and_what_it_said(
    nightly: Shop, mariadb: MariaDB
) -> None:
    dice, told = random.Random(3), list[tuple[datetime, list[Row]]]()  # noqa: S311 - a game
    for night in range(4):
        change(mariadb, dice, night)
        told.append(says(mariadb))
        assert "read everything" not in succeed(nightly.run()).stdout or night == 0
        _, now = told[-1]
        current = rows(nightly, "silver_current", "id", "customer", "amount")
        assert sorted(current, key=str) == now
    customers = [customer for _, customer, _ in now]
    sums = {customer: customers.count(customer) for customer in set(customers)}
    assert dict(rows(nightly, "gold_customers", "customer", "rows")) == sums
    states = rows(nightly, "silver_states", "id", "customer", "amount", "valid_from", "valid_to")
    for when, then in told:
        valid = [
            tuple(state)
            for *state, begin, end in states
            if begin <= when and (end is None or when < end)
        ]
        assert sorted(valid, key=str) == then
    assert len(states) > len(now) + 10
