"""The changes in the files of `log/` that were not read yet, the files in the order of names."""

from pathlib import Path

import polars as pl

from polster_runtime import Frames, run

LOG = Path(__file__).parents[2] / "log"


def extract(position: str | None = None) -> Frames:
    """Yield a file at a time."""
    for file in sorted(LOG.glob("*.parquet")):
        if position is None or file.name > position:
            yield pl.read_parquet(file)
            position = file.name
    return position


if __name__ == "__main__":
    run(extract)
