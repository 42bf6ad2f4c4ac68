"""Rows that are being computed for as long as the file `computing` is there."""

import time
from pathlib import Path

import polars as pl

from polster_runtime import run

FLAG = Path("computing")


def extract() -> pl.DataFrame:
    """Say that it has begun, and wait."""
    FLAG.touch()
    while FLAG.exists():
        time.sleep(0.05)
    return pl.DataFrame({"x": range(1212)})


if __name__ == "__main__":
    run(extract)
