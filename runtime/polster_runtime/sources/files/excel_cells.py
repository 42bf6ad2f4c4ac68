"""Cells of workbooks as columns: of one type where all of them are alike, else text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from polster_runtime.sources.shapes import EXACT_INTEGER

_DATETIME = pl.Datetime("ms")


def narrowed(column: pl.Series) -> pl.Series:
    """Return a column of numbers as integers, and one of times as dates, if all of them are."""
    if column.dtype == pl.String:
        column = column.set(column == "", None)
    if column.null_count() == len(column):
        return column.cast(pl.Null)
    if column.dtype == pl.Float64:
        whole = (column.floor() == column) & (column.abs() <= EXACT_INTEGER)
        return column.cast(pl.Int64) if whole.all() else column
    if isinstance(column.dtype, pl.Datetime):
        days = column.dt.date()
        return days if (days.cast(column.dtype) == column).all() else column.cast(_DATETIME)
    return column


def series(name: str, values: Sequence[Any]) -> pl.Series:
    """Return a column of cells, of which None is an empty one."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds and kinds <= {int, float}:
        return narrowed(pl.Series(name, values, dtype=pl.Float64, strict=False))
    if kinds == {date, datetime}:
        return narrowed(pl.Series(name, [_midnight(value) for value in values], dtype=_DATETIME))
    types: dict[Any, Any] = {
        bool: pl.Boolean(),
        date: pl.Date(),
        datetime: _DATETIME,
        str: pl.String(),
        time: pl.Time(),
        timedelta: pl.Duration("ms"),
    }
    if len(kinds) == 1:
        return pl.Series(name, values, dtype=types[kinds.pop()])
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    texts = [None if value is None else cell_text(value) for value in values]
    return pl.Series(name, texts, dtype=pl.String)


def _midnight(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time())


def cell_text(value: Any) -> str:
    """Return a cell as text: 5 for a number that is whole, 2024-01-31 for a date."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT_INTEGER:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value)
