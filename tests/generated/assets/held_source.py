"""One row; not as long as data/held is there, and none while data/broken is."""

import time

import polars as pl

from core.paths import DATA_DIR
from polster_runtime import run


def extract() -> pl.DataFrame:
    """Wait, then return it, or fail."""
    while (DATA_DIR / "held").exists():
        time.sleep(0.1)
    if (DATA_DIR / "broken").exists():
        raise OSError("no route")
    return pl.DataFrame({"id": [1]})


if __name__ == "__main__":
    run(extract)
