"""What the storage relies on of Polars and is marked experimental there."""

from collections.abc import Iterator
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

SCHEMA = {"id": pl.Int64}
seen: list[int] = []


def frames(*_: Any) -> Iterator[pl.DataFrame]:
    """Yield fifty frames of a thousand rows."""
    for number in range(50):
        seen.append(number)
        yield pl.DataFrame({"id": [number] * 1000})


def wrong(*_: Any) -> Iterator[pl.DataFrame]:
    """Yield two frames that differ."""
    yield pl.DataFrame({"id": [1]})
    yield pl.DataFrame({"id": [2], "more": [3]})


# A footer is asked for after the last row.
register_io_source(frames, schema=SCHEMA, validate_schema=True).sink_parquet(
    "t.parquet", metadata=lambda _: {"seen": str(len(seen))}
)
print(pl.read_parquet_metadata("t.parquet")["seen"], pl.scan_parquet("t.parquet").collect().height)
# Frames are checked one by one.
try:
    register_io_source(wrong, schema=SCHEMA, validate_schema=True).sink_parquet("u.parquet")
except pl.exceptions.SchemaError:
    print("refused")
