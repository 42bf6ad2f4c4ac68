"""A source that says so and then hangs for as long as data/slow is there: nothing can stop it."""

import time

import polars as pl

from core.paths import DATA_DIR
from polster_runtime import run


def extract() -> pl.DataFrame:
    """Hang, then return a row."""
    if (DATA_DIR / "slow").exists():
        (DATA_DIR / "hangs").touch()
    while (DATA_DIR / "slow").exists():
        time.sleep(0.1)
    return pl.DataFrame({"id": [1]})


if __name__ == "__main__":
    run(extract)
