"""Frames without data, and with a little that is made up, for any schema."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from importlib import import_module
from typing import Any

_DAY = dt.date(2024, 1, 1)

Schema = Mapping[str, Any]


def polars() -> Any:
    """Return Polars, which only the project's environment has."""
    return import_module("polars")


def empty(schema: Schema) -> Any:
    """Return a frame of these columns without rows."""
    return polars().DataFrame(schema=dict(schema))


def made_up(schema: Schema, seed: int) -> Any:
    """Return a frame of three rows of unremarkable values; another seed makes others."""
    pl = polars()
    columns = []
    for name, kind in schema.items():
        values = [_value(pl, kind, seed + row) for row in range(3)]
        try:
            columns.append(pl.Series(name, values, dtype=kind))
        except Exception:  # noqa: BLE001 - a type that takes none of these values
            columns.append(pl.Series(name, [None] * 3, dtype=kind))
    return pl.DataFrame(columns)


def sample(contract: Any, seed: int) -> Any:
    """Return rows that keep a contract; `None` where none can be made."""
    try:
        dy = import_module("dataframely")
        return contract.sample(5, generator=dy.random.Generator(seed))
    except Exception:  # noqa: BLE001 - rules may be too strict for chance to meet them
        return None


def _value(pl: Any, kind: Any, seed: int) -> Any:
    if kind.is_decimal():
        return Decimal(seed)
    if kind.is_numeric():
        return seed
    if kind.is_temporal():
        return _time(pl, kind, seed)
    if kind.is_nested():
        return _nested(pl, kind, seed)
    if isinstance(kind, pl.Enum):
        return kind.categories[seed % len(kind.categories)] if len(kind.categories) else None
    plain = {pl.Boolean: seed % 2 == 0, pl.Binary: str(seed).encode()}
    return plain.get(kind.base_type(), str(seed) if kind in {pl.String, pl.Categorical} else None)


def _nested(pl: Any, kind: Any, seed: int) -> Any:
    if isinstance(kind, pl.Struct):
        return {field.name: _value(pl, field.dtype, seed) for field in kind.fields}
    return [_value(pl, kind.inner, seed)] * (kind.size if isinstance(kind, pl.Array) else 1)


def _time(pl: Any, kind: Any, seed: int) -> Any:
    day = _DAY + dt.timedelta(days=seed)
    if kind == pl.Date:
        return day
    if kind == pl.Time:
        return dt.time(hour=seed % 24)
    if kind == pl.Duration:
        return dt.timedelta(hours=seed)
    zone = getattr(kind, "time_zone", None)
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC if zone else None)
