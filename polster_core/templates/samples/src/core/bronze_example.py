"""Bronze: the orders of a small shop as its till exports them, flaws and all."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from polster_runtime import run

FIRST_DAY = datetime(2026, 1, 1)
MONTHS = 6
ORDERS_A_MONTH = 200
PRODUCTS = {"notebook": 4_90, "pencil case": 12_50, "desk lamp": 39_00, "office chair": 189_00}
"""Prices in cents."""


def extract() -> Iterator[pl.DataFrame]:
    """Yield the orders month by month; put your own source here.

    Yielding lets a source be larger than memory; one that fits may return a frame instead.
    """
    till = random.Random(7)
    for month in range(MONTHS):
        orders = [_order(till, month, number) for number in range(ORDERS_A_MONTH)]
        yield pl.DataFrame(orders + till.sample(orders, 2))  # the till sends some orders twice


def _order(till: random.Random, month: int, number: int) -> dict[str, Any]:
    """One order. About three in a hundred are flawed, as in real exports."""
    product = till.choices([*PRODUCTS], [8, 5, 3, 1 + month / 4])[0]
    quantity = till.choices([1, 2, 5, 0], [70, 20, 9, 1])[0]
    ordered_at = FIRST_DAY + timedelta(days=30 * month, minutes=till.randrange(30 * 24 * 60))
    wait = till.choices([till.randint(1, 5), None, -1], [95, 4, 1])[0]
    cents = PRODUCTS[product] * quantity * till.choices([1, -1], [99, 1])[0]
    return {
        "order_id": month * ORDERS_A_MONTH + number + 1,
        "ordered_at": ordered_at,
        "shipped_at": ordered_at + timedelta(days=wait) if wait else None,
        "customer_id": till.choices([till.randint(1, 80), 999, None], [198, 1, 1])[0],
        "product": product,
        "quantity": quantity,
        "unit_price": Decimal(PRODUCTS[product]).scaleb(-2),
        "amount": Decimal(cents).scaleb(-2),
    }


if __name__ == "__main__":
    run(extract)
