"""A thousand rows, each with the process that wrote it."""

import os
import time

import polars as pl

from polster_runtime import run


def extract() -> pl.DataFrame:
    """Take a while, so that other processes do it at the same time."""
    time.sleep(0.2)
    return pl.DataFrame({"id": [os.getpid()] * 1_000})


if __name__ == "__main__":
    run(extract)
