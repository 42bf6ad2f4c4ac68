"""Many frames; it says "half way" after some, and goes on slowly unless NAP is 0."""

import os
import time
from collections.abc import Iterator

import polars as pl

from polster_runtime import run


def extract() -> Iterator[pl.DataFrame]:
    """Yield 600 frames of a thousand rows."""
    for number in range(600):
        yield pl.DataFrame({"id": range(number * 1_000, number * 1_000 + 1_000)})
        if number == 3:
            print("half way", flush=True)
        if number > 3:
            time.sleep(float(os.environ.get("NAP", "0.1")))


if __name__ == "__main__":
    run(extract)
