"""An asset by hand: numbers up to one that a file names."""

from pathlib import Path

import polars as pl

from polster_runtime import Frames, Position, run

LAST = Path(__file__).parents[2] / "last.txt"


def extract(position: Position = None) -> Frames:
    """Numbers."""
    last = int(LAST.read_text("utf-8"))
    start = position["value"] if isinstance(position, dict) else position or 0
    yield pl.DataFrame({"id": range(start + 1, last + 1)}, schema={"id": pl.Int64})
    return {"value": last, "seen": []}


if __name__ == "__main__":
    run(extract)
