"""Silver: the planes whose age is known."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every row of silver_planes promises; rows that break it are quarantined."""

    tailnum = dy.String(primary_key=True, regex="^N[0-9A-Z]+$")
    built_in = dy.Int64(nullable=False, min=1950, max=2013)
    manufacturer = dy.String(nullable=False)
    seats = dy.Int64(nullable=False, min=1)


def transform(df: pl.LazyFrame) -> pl.LazyFrame:
    """One spelling for each manufacturer."""
    manufacturer = pl.col("manufacturer").replace("AIRBUS INDUSTRIE", "AIRBUS")
    return df.select(
        "tailnum",
        "seats",
        manufacturer=manufacturer,
        built_in=pl.col("year").replace("NA", None),
    )


if __name__ == "__main__":
    run(transform)
