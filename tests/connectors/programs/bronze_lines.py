"""An asset by hand: a query with a parameter and a percent sign."""

from collections.abc import Iterator

import polars as pl

from polster_runtime import run
from polster_runtime.sources.mysql import fetch_mysql_data

QUERY = "SELECT id FROM items WHERE product < %s AND id LIKE '%%b' OR id = %s"


def extract() -> Iterator[pl.DataFrame]:
    """Lines."""
    yield from fetch_mysql_data(QUERY, ("z", 2), connection="CRM")


if __name__ == "__main__":
    run(extract)
