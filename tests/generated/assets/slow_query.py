"""A query that keeps Polars busy for minutes, unless NAP is set; it says "half way" first."""

import os

import polars as pl

from polster_runtime import run


def transform(df: pl.LazyFrame) -> pl.LazyFrame:
    """Join each row with each."""
    rows = 400_000 if "NAP" not in os.environ else 1
    print("half way", flush=True)
    many = df.select(a=pl.int_range(pl.len()))
    many = pl.concat([many] * (rows // 1000 + 1)).select(pl.col("a").hash())
    return many.join(many, how="cross").filter(pl.col("a") + pl.col("a_right") == 1).head(1)


if __name__ == "__main__":
    run(transform)
