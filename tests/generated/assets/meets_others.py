"""One row, once a dozen of its kind have begun: they never end unless they run at once."""

import time
from uuid import uuid4

import polars as pl

from core.paths import DATA_DIR
from polster_runtime import run

DOZEN = 12


def extract() -> pl.DataFrame:
    """Say that it has begun, and wait for the others."""
    meeting = DATA_DIR / "meeting"
    meeting.mkdir(parents=True, exist_ok=True)
    (meeting / uuid4().hex).touch()
    while len(list(meeting.iterdir())) < DOZEN:
        time.sleep(0.05)
    return pl.DataFrame({"id": [1]})


if __name__ == "__main__":
    run(extract)
