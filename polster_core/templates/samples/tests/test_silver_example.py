from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from core.silver_example import Contract, transform

ORDER = {
    "order_id": 1,
    "ordered_at": datetime(2026, 1, 1),
    "shipped_at": datetime(2026, 1, 3),
    "customer_id": 7,
    "product": "notebook",
    "quantity": 2,
    "unit_price": Decimal("4.90"),
    "amount": Decimal("9.80"),
}
CUSTOMER = {
    "customer_id": 7,
    "email": " Ada@Example.com ",
    "segment": "school",
    "country": "DE",
    "changed_on": date(2025, 5, 1),
}


def transformed(order: dict[str, Any] = ORDER) -> pl.DataFrame:
    moved = CUSTOMER | {"segment": "business", "changed_on": date(2025, 6, 1)}
    return transform(pl.LazyFrame([order, order]), pl.LazyFrame([moved, CUSTOMER])).collect()


def test_an_order_that_was_sent_twice_counts_once() -> None:
    assert transformed().height == 1


def test_the_customer_is_who_he_is_today() -> None:
    assert transformed().select("email", "segment").row(0) == ("ada@example.com", "business")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"amount": Decimal("-9.80")}, "amount|min"),
        ({"quantity": 0}, "quantity|min"),
        ({"customer_id": 999}, "customer_is_known"),
        ({"shipped_at": datetime(2025, 12, 31)}, "shipped_after_it_was_ordered"),
    ],
)
def test_a_flawed_order_breaks_its_rule(change: dict[str, Any], rule: str) -> None:
    _, failure = Contract.filter(transformed(ORDER | change), cast=True)
    assert failure.counts() == {rule: 1}
