"""Gold: which carrier is late, where and when?"""

import dataframely as dy
import polars as pl

from polster_runtime import run

LATE = 15
"""Minutes after which an arrival is late, as the FAA counts."""


class Contract(dy.Schema):
    """What every row of gold_lateness promises."""

    airline = dy.String(primary_key=True)
    origin = dy.String(primary_key=True)
    month = dy.Int8(primary_key=True, min=1, max=12)
    flights = dy.UInt32(nullable=False, min=1)
    late = dy.UInt32(nullable=False)
    share_late = dy.Float64(nullable=False, min=0, max=1)
    mean_delay = dy.Float64(nullable=False)


def aggregate(flights: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each airline, airport and month; the latest first."""
    late = pl.col("arrival_delay") > LATE
    return (
        flights.group_by("airline", "origin", month=pl.col("departs_at").dt.month())
        .agg(
            flights=pl.len(),
            late=late.sum(),
            share_late=late.mean(),
            mean_delay=pl.col("arrival_delay").mean(),
        )
        .sort("share_late", "airline", "origin", "month", descending=[True, False, False, False])
    )


if __name__ == "__main__":
    run(aggregate)
