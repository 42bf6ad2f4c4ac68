"""What is new since a position, of the rows in rows.json."""

import json
import os
import time
from collections.abc import Generator
from pathlib import Path

import polars as pl

from polster_runtime import run

ROWS = Path(__file__).parents[2] / "rows.json"


def begin_with_others() -> None:
    """Say on stdout that it has begun, and wait for the file `go`."""
    print("begun", flush=True)
    while not ROWS.with_name("go").exists():
        time.sleep(0.02)


def extract(position: int | None = None) -> Generator[pl.DataFrame, None, int | None]:
    """Yield ten rows at a time; slowly, where NAP says so."""
    new = [row for row in json.loads(ROWS.read_text("utf-8")) if row > (position or 0)]
    for start in range(0, len(new), 10):
        time.sleep(float(os.environ.get("NAP", "0")))
        if start == 0 and "HOLD" in os.environ:
            begin_with_others()
        yield pl.DataFrame({"id": new[start : start + 10]})
        if "FAIL" in os.environ:
            raise ConnectionError("gone away")
    return max(new, default=position)


if __name__ == "__main__":
    run(extract)
