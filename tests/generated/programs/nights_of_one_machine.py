"""Log changes and run the assets that keep them, as a machine that no lock holds back.

    python nights_of_one_machine.py NAME NIGHTS

Ends after so many nights, or when it is killed: NAME.pid has the number of its process. NIGHTS 0
runs each asset once more, and prints what its readers get beside what the log says. The clock is
AHEAD seconds ahead of that of this machine. What of all rows was published in whole is told in
`whole`: the name of each file, and its count.
Of a machine called `alone` a night may end early, while its storage cannot be reached.
"""

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import datetime, timedelta, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Self
from unittest import mock

import polars as pl

from polster_runtime.assets.binding import asset_of
from polster_runtime.errors import NoData, StorageError
from polster_runtime.execution import materialize as runs
from polster_runtime.execution import quarantine
from polster_runtime.storage import compaction, retention
from polster_runtime.storage.description import newest
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import base_name

AHEAD = timedelta(seconds=float(os.environ.get("AHEAD", "0")))
compaction.TOGETHER = 4
compaction.GRACE = retention.GRACE = timedelta(seconds=float(os.environ.get("GRACE", "86400")))
FUNCTIONS = [
    getattr(import_module(f"core.{stem}"), name)
    for stem, name in {
        "bronze_log": "extract",
        "silver_whole": "transform",
        "silver_latest": "transform",
        "silver_new": "transform",
        "silver_seen": "transform",
        "silver_guarded": "transform",
        "gold_customers": "aggregate",
    }.items()
]


class Clock(datetime):
    """One that is ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the time that it shows."""
        return super().now(tz) + AHEAD


def clocks() -> Iterator[AbstractContextManager[object]]:
    """Set the clock of each module of the runtime."""
    for name, module in [*sys.modules.items()]:
        if name.startswith("polster_runtime.") and vars(module).get("datetime") is datetime:
            yield mock.patch.object(module, "datetime", Clock)


def log(name: str) -> None:
    """Let the source log some changes."""
    now = time.time_ns()
    rows = [(random.randrange(30), random.randrange(5), now + n) for n in range(6)]  # noqa: S311
    frame = pl.DataFrame(rows, ["id", "customer", "version"], orient="row")
    target = Path("log", f"{now}-{name}.parquet")
    frame.write_parquet(target.with_suffix(".new"))
    target.with_suffix(".new").rename(target)


def run(*, alone: bool) -> None:
    """Run all assets; what another machine has published meanwhile is for the next night.

    One that is alone must never meet that, and is told when its storage is away.
    """
    for function in FUNCTIONS:
        try:
            done = runs.materialize(function)
        except NoData:
            return
        except StorageError as error:
            if "was published by another run meanwhile" not in str(error):
                if alone and "cannot be reached" in str(error):
                    Path("log", f"{time.time_ns()}.away").touch()
                    return
                raise
            if alone:
                raise
            with Path("refused").open("a", encoding="utf-8") as file:
                file.write(f"{asset_of(function)}\n")
            continue
        if done.asset.name == "whole":
            with Path("whole").open("a", encoding="utf-8") as file:
                file.write(f"{base_name(done.path)} {done.preview.item()}\n")


def told() -> dict[str, list[list[int]]]:
    """Return what readers get of each asset, in order, and what was rejected."""
    data, found = store(), {}
    for function in FUNCTIONS:
        asset = asset_of(function)
        rows = data.scan(newest(data, asset)).collect()
        found[str(asset)] = sorted(map(list, rows.select(sorted(rows.columns)).rows()))
        if asset.name == "guarded":
            bad = quarantine.latest(asset, data).rows.select("customer", "id", "version")
            found["rejected"] = sorted(map(list, bad.collect().rows()))
    return found


def main(name: str, nights: int) -> None:
    """Do it."""
    begun = Path(f"{name}.pid.new")
    begun.write_text(f"{os.getpid()}", encoding="utf-8")
    begun.rename(f"{name}.pid")
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(runs, "alone", return_value=nullcontext()))
        for clock in clocks():
            stack.enter_context(clock)
        for _ in range(nights):
            log(name)
            run(alone=name == "alone")
        if not nights:
            run(alone=False)
            everything = pl.read_parquet("log/*.parquet").select("customer", "id", "version")
            print(json.dumps({"log": sorted(map(list, everything.rows()))} | told()))


main(sys.argv[1], int(sys.argv[2]))
