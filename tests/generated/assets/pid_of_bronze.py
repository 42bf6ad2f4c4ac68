"""Which process ran it."""

import os

import polars as pl

from polster_runtime import run


def extract() -> pl.DataFrame:
    """Note the process."""
    with open("pids", "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    return pl.DataFrame({"id": [1]})


if __name__ == "__main__":
    run(extract)
