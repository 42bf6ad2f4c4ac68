"""Two frames, then an error: the line of the body is put in by the test."""

from collections.abc import Iterator

import polars as pl

from polster_runtime import run


def extract() -> Iterator[pl.DataFrame]:
    """Yield, then fail."""
    yield pl.DataFrame({"id": [1]})
    yield pl.DataFrame({"id": [2]})
    raise KeyError


if __name__ == "__main__":
    run(extract)
