"""Orders, known by their contract alone."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What the till sends."""

    order_id = dy.Int64(primary_key=True)
    customer_id = dy.Int64()
    amount = dy.Float64(min=0)
    ordered_at = dy.Datetime()
    raw = dy.String(regex=r"\d{4}-\d{2}-\d{2}")


def extract() -> pl.LazyFrame:
    """Fail: a check reads no data."""
    raise RuntimeError("a source is never asked")


if __name__ == "__main__":
    run(extract)
