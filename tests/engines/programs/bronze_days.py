"""Bronze: a row for each partition; p0 and p1 wait for each other, p2 fails if that is ordered."""

import os
import time

import polars as pl

from polster_runtime.config import interruption
from polster_runtime.config.paths import project_root


def extract(partition: str) -> pl.DataFrame:
    """Which process has computed the partition, and when it began."""
    orders, began = project_root() / "orders", time.time()
    (orders / f"began_{partition}").touch()
    while partition in {"p0", "p1"} and not all(
        (orders / f"began_{other}").exists() for other in ("p0", "p1")
    ):
        interruption.sleep(0.1)
    if (orders / partition).exists():
        raise ValueError("ordered to fail")
    if seconds := os.environ.get("PARTITION_SECONDS"):
        interruption.sleep(float(seconds))
    return pl.DataFrame({"part": [partition], "process": [os.getpid()], "began": [began]})
