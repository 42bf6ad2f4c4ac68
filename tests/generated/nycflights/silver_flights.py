"""Silver: the flights that arrived, with the names of their airline and destination."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every row of silver_flights promises; rows that break it are quarantined."""

    departs_at = dy.Datetime(primary_key=True)
    carrier = dy.String(primary_key=True, regex="^[A-Z0-9]{2}$")
    flight = dy.Int64(primary_key=True, min=1)
    origin = dy.String(primary_key=True)
    dest = dy.String(nullable=False)
    airline = dy.String(nullable=False)
    dest_name = dy.String(nullable=True)
    departure_delay = dy.Int64(nullable=False)
    arrival_delay = dy.Int64(nullable=False)

    @dy.rule()
    def origin_is_in_new_york(cls) -> pl.Expr:
        """Newark counts."""
        return cls.origin.col.is_in(["EWR", "JFK", "LGA"])


def transform(
    flights: pl.LazyFrame, airlines: pl.LazyFrame, airports: pl.LazyFrame
) -> pl.LazyFrame:
    """Read times and delays, and add the names; islands are not in the list of airports."""
    local = pl.datetime("year", "month", "day", pl.col("hour"), "minute")
    numbers = ("year", "month", "day", "hour", "minute")
    return (
        flights.with_columns(pl.col(numbers).cast(pl.Int32))
        .join(airlines.rename({"name": "airline"}), on="carrier", how="left")
        .join(
            airports.select(dest="faa", dest_name="name"),
            on="dest",
            how="left",
        )
        .select(
            "carrier",
            "airline",
            "flight",
            "origin",
            "dest",
            "dest_name",
            departs_at=local,
            departure_delay=pl.col("dep_delay").replace("NA", None),
            arrival_delay=pl.col("arr_delay").replace("NA", None),
        )
    )


if __name__ == "__main__":
    run(transform)
