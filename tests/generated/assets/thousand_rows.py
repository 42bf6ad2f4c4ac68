"""A thousand rows."""

import polars as pl

from polster_runtime import run


def extract() -> pl.LazyFrame:
    """Return the numbers below a thousand."""
    return pl.LazyFrame({"id": range(1_000)})


if __name__ == "__main__":
    run(extract)
