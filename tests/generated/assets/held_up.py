"""A silver asset that goes on for as long as data/slow is there; it says its process."""

import os
import time

import dataframely as dy
import polars as pl

from core.paths import DATA_DIR
from polster_runtime import run


class Contract(dy.Schema):
    """What every row promises."""

    id = dy.Int64(primary_key=True)


def transform(df: pl.LazyFrame) -> pl.LazyFrame:
    """Wait, then pass the rows on."""
    if (DATA_DIR / "slow").exists():
        (DATA_DIR / "pid").write_text(str(os.getpid()))
        while (DATA_DIR / "slow").exists():
            time.sleep(0.1)
    return df


if __name__ == "__main__":
    run(transform)
