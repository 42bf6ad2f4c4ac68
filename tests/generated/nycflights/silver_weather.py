"""Silver: the weather of each hour at each airport."""

import dataframely as dy
import polars as pl

from polster_runtime import run

MEASURED = ("temp", "wind_speed", "precip", "visib")


class Contract(dy.Schema):
    """What every row of silver_weather promises; rows that break it are quarantined."""

    origin = dy.String(primary_key=True)
    hour = dy.Datetime(primary_key=True)
    temperature = dy.Float64(nullable=False, min=-20, max=110)
    wind_speed = dy.Float64(nullable=False, min=0, max=100)
    rain = dy.Float64(nullable=False, min=0)
    visibility = dy.Float64(nullable=False, min=0, max=10)


def transform(df: pl.LazyFrame) -> pl.LazyFrame:
    """Hours and measurements (Fahrenheit, miles, inches); what was not measured is null."""
    hour = pl.datetime(*(pl.col(name).cast(pl.Int32) for name in ("year", "month", "day", "hour")))
    return df.with_columns(pl.col(MEASURED).replace("NA", None)).select(
        "origin",
        "wind_speed",
        hour=hour,
        temperature="temp",
        rain="precip",
        visibility="visib",
    )


if __name__ == "__main__":
    run(transform)
