"""Customers, known by their contract alone."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """Who they are."""

    customer_id = dy.Int64(primary_key=True)
    name = dy.String()


def extract() -> pl.LazyFrame:
    """Fail: a check reads no data."""
    raise RuntimeError("a source is never asked")


if __name__ == "__main__":
    run(extract)
