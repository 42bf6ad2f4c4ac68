"""Two frames, the second of which differs as KIND says."""

import os
from collections.abc import Iterator

import polars as pl

from polster_runtime import run

FRAMES = {
    "one more": pl.DataFrame({"id": [2], "new": [1]}),
    "one less": pl.DataFrame(),
    "another type": pl.DataFrame({"id": ["2"]}),
    "another name": pl.DataFrame({"ID": [2]}),
}


def extract() -> Iterator[pl.DataFrame]:
    """Yield both."""
    yield pl.DataFrame({"id": [1]})
    yield FRAMES[os.environ["KIND"]]


if __name__ == "__main__":
    run(extract)
