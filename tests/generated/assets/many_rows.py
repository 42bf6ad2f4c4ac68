"""As many rows as a read takes a moment for."""

import polars as pl

from polster_runtime import run


def extract() -> pl.LazyFrame:
    """Return 200,000 rows."""
    return pl.LazyFrame({"id": range(200_000)})


if __name__ == "__main__":
    run(extract)
