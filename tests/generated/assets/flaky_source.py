"""A source that is there at the third attempt; what it raises before is ERROR, as text."""

import os

import polars as pl

from core.paths import DATA_DIR
from polster_runtime import run

ERRORS = {
    "the source": ConnectionError("busy"),
    "the code": KeyError("gone"),
    "the file": FileNotFoundError(2, "gone", "orders.csv"),
}


def extract() -> pl.DataFrame:
    """Count the attempts."""
    with (DATA_DIR / "attempts").open("a+") as file:
        file.write("x")
        file.seek(0)
        if len(file.read()) < 3:
            raise ERRORS[os.environ["ERROR"]]
    return pl.DataFrame({"id": [1]})


if __name__ == "__main__":
    run(extract)
