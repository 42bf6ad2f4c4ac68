"""Which process ran it."""

import os

import polars as pl

from polster_runtime import run


def transform(df: pl.LazyFrame) -> pl.LazyFrame:
    """Note the process."""
    with open("pids", "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    return df


if __name__ == "__main__":
    run(transform)
