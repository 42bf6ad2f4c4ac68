"""Call a gold function with rows made by hand: it needs no storage."""

from datetime import datetime

import polars as pl

from polster_runtime.assets.binding import function_of
from polster_runtime.domain.asset_id import AssetId

aggregate = function_of(AssetId("gold", "lateness"))
flights = pl.LazyFrame(
    {
        "airline": ["A", "A", "B"],
        "origin": ["JFK"] * 3,
        "arrival_delay": [20, 15, 0],
        "departs_at": [datetime(2013, 3, 1)] * 3,  # noqa: DTZ001 - local times, as in the source
    }
)
assert aggregate(flights).collect().rows() == [
    ("A", "JFK", 3, 2, 1, 0.5, 17.5),
    ("B", "JFK", 3, 1, 0, 0.0, 0.0),
]
