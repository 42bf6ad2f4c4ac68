"""A source that forks: what is forked off returns as well, and must not go on as the run."""

import os

import polars as pl

from core.paths import DATA_DIR
from polster_runtime import run


def extract() -> pl.DataFrame:
    """Return the number of the process; each notes itself."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    with (DATA_DIR / "forked").open("a") as file:
        file.write(f"{os.getpid()}\n")
    return pl.DataFrame({"id": [1 if child else 2]})


if __name__ == "__main__":
    run(extract)
