"""Forty frames of 24 MB: about one gigabyte."""

from collections.abc import Iterator

import polars as pl

from polster_runtime import run

ROWS = 1_500_000


def extract() -> Iterator[pl.DataFrame]:
    """Yield one after the other."""
    for number in range(40):
        ids = pl.int_range(ROWS, dtype=pl.Int64)
        yield pl.select(id=ids + number * ROWS, v=ids.cast(pl.Float64))


if __name__ == "__main__":
    run(extract)
