"""Bronze: the airports of the FAA."""

import polars as pl

from core.paths import PROJECT_ROOT
from polster_runtime import run

FILE = PROJECT_ROOT / "incoming" / "airports.csv"


def extract() -> pl.LazyFrame:
    """Every line of the file, all columns as text."""
    return pl.scan_csv(FILE, infer_schema=False)


if __name__ == "__main__":
    run(extract)
