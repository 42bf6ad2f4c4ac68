"""A silver asset that always fails, and counts how often."""

import polars as pl

from core.paths import DATA_DIR
from polster_runtime import run


def transform(example: pl.LazyFrame) -> pl.LazyFrame:
    """Count, and fail."""
    with (DATA_DIR / "attempts").open("a") as file:
        file.write("x")
    raise KeyError("the column is gone")


if __name__ == "__main__":
    run(transform)
