"""Columns of several files as one schema, in types that keep each value as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.found_files import DataFile

_DIGITS = 38
"""How many digits a Decimal of Polars has at most."""
Schema = Mapping[str, Any]
_CHOICES = (pl.Categorical, pl.Enum)
_EXACT_IN_FLOAT = (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32)


def union_schema(files: Iterable[tuple[DataFile, Schema]]) -> dict[str, Any]:
    """Return all columns of all files. Raises SourceError where types do not go together.

    So do a file that has none of the columns of the others, and a column of which one file has
    integers and another text.
    """
    found: dict[str, Any] = {}
    first: dict[str, DataFile] = {}
    for file, own in files:
        if found and own and not found.keys() & own.keys():
            raise SourceError(
                f"{file.shown} has none of the columns of the other files: {', '.join(own)}; "
                f"they have {', '.join(found)}; narrow the pattern",
                final=True,
            )
        for name, kind in own.items():
            both = exact_supertype(found[name], kind) if name in found else kind
            if both is None:
                raise SourceError(
                    f"{name} is {found[name]} in {first[name].shown} and {kind} in {file.shown}: "
                    "no type holds both exactly; read them as two assets, or narrow the pattern",
                    final=True,
                )
            found[name] = both
            first.setdefault(name, file)
    return found


def exact_supertype(one: Any, other: Any) -> Any:
    """Return the type that holds all values of two types as they are; None if none does."""
    if one == other:
        return one
    for kind, wider in ((one, other), (other, one)):
        if _is_held(kind, wider):
            return wider
    if one in _CHOICES and other in _CHOICES:
        return pl.String()
    for family, common in _FAMILIES.items():
        if isinstance(one, family) and isinstance(other, family):
            return common(one, other)
    if one.is_integer() and other.is_integer():
        return _integers(one, other)
    return pl.Float64() if one.is_float() and other.is_float() else None


def _is_held(kind: Any, wider: Any) -> bool:
    """Return whether a type holds the values of one that is of another family."""
    if wider == pl.String and kind in _CHOICES:
        return True
    if kind == pl.Null or (kind in _EXACT_IN_FLOAT and wider == pl.Float64):
        return True
    return kind == pl.Date and isinstance(wider, pl.Datetime) and wider.time_zone is None


def _lists(one: pl.List, other: pl.List) -> Any:
    inner = exact_supertype(one.inner, other.inner)
    return None if inner is None else pl.List(inner)


def _structs(one: pl.Struct, other: pl.Struct) -> Any:
    fields = {field.name: field.dtype for field in one.fields}
    for field in other.fields:
        known = fields.get(field.name)
        both = field.dtype if known is None else exact_supertype(known, field.dtype)
        if both is None:
            return None
        fields[field.name] = both
    return pl.Struct(fields)


def _integers(one: Any, other: Any) -> Any:
    if pl.UInt64 in (one, other) and (one.is_signed_integer() or other.is_signed_integer()):
        return pl.Int128()
    empty = [pl.Series([], dtype=kind).to_frame("") for kind in (one, other)]
    return pl.concat(empty, how="vertical_relaxed").dtypes[0]


def _datetimes(one: pl.Datetime, other: pl.Datetime) -> Any:
    if one.time_zone != other.time_zone:
        return None
    finer = min((one, other), key=lambda kind: ("ns", "us", "ms").index(kind.time_unit))
    # Nanoseconds end in the year 2262, so that others may not fit.
    return None if finer.time_unit == "ns" else finer


def _decimals(one: pl.Decimal, other: pl.Decimal) -> Any:
    scale = max(one.scale, other.scale)
    whole = max((one.precision or _DIGITS) - one.scale, (other.precision or _DIGITS) - other.scale)
    return pl.Decimal(whole + scale, scale) if whole + scale <= _DIGITS else None


_FAMILIES: dict[Any, Callable[[Any, Any], Any]] = {
    pl.Struct: _structs,
    pl.List: _lists,
    pl.Datetime: _datetimes,
    pl.Decimal: _decimals,
}
