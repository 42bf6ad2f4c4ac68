"""Gold: what does bad weather cost?"""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every row of gold_weather_delays promises."""

    origin = dy.String(primary_key=True)
    weather = dy.String(primary_key=True)
    flights = dy.UInt32(nullable=False, min=1)
    mean_delay = dy.Float64(nullable=False)


def aggregate(flights: pl.LazyFrame, weather: pl.LazyFrame) -> pl.LazyFrame:
    """The departures of each airport in fog, rain and fair weather."""
    kind = (
        pl.when(pl.col("visibility") < 3)
        .then(pl.lit("fog"))
        .when(pl.col("rain") > 0)
        .then(pl.lit("rain"))
        .otherwise(pl.lit("fair"))
    )
    return (
        flights.with_columns(hour=pl.col("departs_at").dt.truncate("1h"))
        .join(weather, on=["origin", "hour"])
        .group_by("origin", weather=kind)
        .agg(flights=pl.len(), mean_delay=pl.col("departure_delay").mean())
        .sort("origin", "weather")
    )


if __name__ == "__main__":
    run(aggregate)
