"""One row, after ten minutes."""

import time

import polars as pl

from polster_runtime import run


def extract() -> pl.DataFrame:
    """Wait, then return it."""
    time.sleep(600)
    return pl.DataFrame({"id": [1]})


if __name__ == "__main__":
    run(extract)
