"""Bronze: all flights that left New York in 2013."""

from zipfile import ZipFile

import polars as pl

from core.paths import PROJECT_ROOT
from polster_runtime import run

FILE = PROJECT_ROOT / "incoming" / "flights.csv.zip"


def extract() -> pl.DataFrame:
    """Every line of the file in the archive, all columns as text."""
    with ZipFile(FILE) as archive:
        return pl.read_csv(archive.read("flights.csv"), infer_schema=False)


if __name__ == "__main__":
    run(extract)
