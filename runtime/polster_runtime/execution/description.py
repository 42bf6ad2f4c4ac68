"""What is told of rows that were staged, and of those that are published."""

from pathlib import Path
from typing import Any

import polars as pl

from polster_runtime.execution.result import Materialized
from polster_runtime.storage.staging import scan

PREVIEW_ROWS = 20


def summary(done: Materialized) -> dict[str, Any]:
    """What the log says of a materialization."""
    return {
        "asset": str(done.asset),
        "rows": done.rows,
        "rejected": done.rejected,
        "seconds": round(done.seconds, 4),
        "path": done.path,
    }


def look_at(file: Path) -> tuple[int, pl.DataFrame]:
    """The number of rows of a staged file, and the first of them."""
    rows = scan(file)
    count, first = pl.collect_all([rows.select(pl.len()), rows.head(PREVIEW_ROWS)])
    return count.item(), first


def schema_of(frame: pl.LazyFrame | pl.DataFrame) -> dict[str, str]:
    """The columns of a frame, with their types as Polars calls them."""
    return {name: str(kind) for name, kind in frame.collect_schema().items()}
