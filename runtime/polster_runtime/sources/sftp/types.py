"""Columns of files in the types of a schema: each value as it is, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dataframely as dy
import polars as pl

from polster_runtime.assets import casts
from polster_runtime.errors import SourceError
from polster_runtime.sources.files.csv_types import exactly


def exactly_cast(frame: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return the columns of a schema in its types.

    Raises SourceError, or an error of Polars, for a value that would be another in its type: 007
    and 1.5 are no Int64.
    """
    return pl.DataFrame([_cast(frame[name], kind) for name, kind in schema.items()])


def _cast(values: pl.Series, kind: Any) -> pl.Series:
    source, column = values.dtype, _column(pl.Series([], dtype=kind).dtype)
    if column is None or not casts.is_needed(source, column):
        return values.cast(kind)
    value = pl.col(values.name)
    if source == pl.String:
        made, kept = exactly(value, column)
    else:
        made = casts.cast(value, source, column)
        kept = casts.is_unchanged(value, made, source, column)
    seen = values.to_frame().select(
        made.alias("made"), (value.is_null() | (made.is_not_null() & kept)).alias("kept")
    )
    wrong = values.filter(~seen["kept"])
    if wrong.len():
        raise SourceError(
            f"{values.name} is {wrong[0]!r}, which is no {column.dtype}, or not exactly", final=True
        )
    return seen["made"].alias(values.name)


def _column(kind: pl.DataType) -> dy.Column | None:
    """Return the column of a contract that has a type; None for types that only Polars casts to."""
    if isinstance(kind, pl.Decimal):
        return dy.Decimal(kind.precision, kind.scale)
    if isinstance(kind, pl.Datetime):
        return dy.Datetime(time_unit=kind.time_unit, time_zone=kind.time_zone)
    if not (kind.is_numeric() or kind in (pl.Boolean, pl.Date, pl.Time)):
        return None
    name = "Bool" if kind == pl.Boolean else kind.base_type().__name__
    made = getattr(dy, name, None)
    return None if made is None else made()
