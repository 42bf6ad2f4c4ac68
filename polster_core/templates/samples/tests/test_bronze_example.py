import polars as pl

from core.bronze_example import extract


def test_every_extract_is_the_same() -> None:
    assert pl.concat(extract()).equals(pl.concat(extract()))


def test_the_till_sends_some_orders_twice() -> None:
    orders = pl.concat(extract())
    assert orders.height > orders["order_id"].n_unique() == 1_200
