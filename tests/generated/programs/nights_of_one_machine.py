"""Log changes and run the assets that keep them, as a machine that no lock holds back.

    python nights_of_one_machine.py NAME NIGHTS

Ends after so many nights, or when it is killed; NIGHTS 0 runs each asset once more, and prints what
its readers get beside what the log says.
"""

import json
import random
import sys
import time
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from unittest import mock

import polars as pl

from polster_runtime.assets.binding import asset_of
from polster_runtime.errors import NoData, StorageError
from polster_runtime.execution import materialize as runs
from polster_runtime.storage import compaction
from polster_runtime.storage.description import newest
from polster_runtime.storage.registry import store

compaction.TOGETHER = 4
FUNCTIONS = [
    getattr(import_module(f"core.{stem}"), name)
    for stem, name in {
        "bronze_log": "extract",
        "silver_latest": "transform",
        "silver_new": "transform",
        "silver_seen": "transform",
        "gold_customers": "aggregate",
    }.items()
]


def log(name: str) -> None:
    """Let the source log some changes."""
    now = time.time_ns()
    rows = [(random.randrange(30), random.randrange(5), now + n) for n in range(6)]  # noqa: S311
    frame = pl.DataFrame(rows, ["id", "customer", "version"], orient="row")
    target = Path("log", f"{now}-{name}.parquet")
    frame.write_parquet(target.with_suffix(".new"))
    target.with_suffix(".new").rename(target)


def run() -> None:
    """Run all assets; what another machine has published meanwhile is for the next night."""
    for function in FUNCTIONS:
        try:
            runs.materialize(function)
        except NoData:
            return
        except StorageError as error:
            if "was published by another run meanwhile" not in str(error):
                raise


def told() -> dict[str, list[list[int]]]:
    """Return what readers get of each asset, in order."""
    data, found = store(), {}
    for function in FUNCTIONS:
        asset = asset_of(function)
        rows = data.scan(newest(data, asset)).collect()
        found[str(asset)] = sorted(map(list, rows.select(sorted(rows.columns)).rows()))
    return found


def main(name: str, nights: int) -> None:
    """Do it."""
    with mock.patch.object(runs, "alone", return_value=nullcontext()):
        for _ in range(nights):
            log(name)
            run()
        if not nights:
            run()
            everything = pl.read_parquet("log/*.parquet").select("customer", "id", "version")
            print(json.dumps({"log": sorted(map(list, everything.rows()))} | told()))


main(sys.argv[1], int(sys.argv[2]))
