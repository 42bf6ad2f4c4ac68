"""Columns of several files, given the same types without changing a value.

Files of one snapshot may differ in the type of a column: a source gave Int64 yesterday and Float64
today. Readers get a type that holds the values of both. Where it holds only some values of a type,
each value is looked at: one that would change is an error, never another value.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import polars as pl

from polster_runtime.errors import StorageError
from polster_runtime.storage.partitions import asset_of_path, how_to_run

SIGNED = {8: pl.Int8, 16: pl.Int16, 32: pl.Int32, 64: pl.Int64, 128: pl.Int128}
UNSIGNED = {8: pl.UInt8, 16: pl.UInt16, 32: pl.UInt32, 64: pl.UInt64}
BITS: dict[pl.DataType, int] = {
    kind(): bits for kinds in (SIGNED, UNSIGNED) for bits, kind in kinds.items()
}
MOST_DIGITS = 38
"""Of a decimal."""
UNITS = ("ms", "us", "ns")
CHOICES = (pl.Categorical, pl.Enum)


class ValueChanges(Exception):
    """A value that a type does not hold. The message says the value and what it would become."""


def alike(frames: Mapping[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
    """Files, by their paths, with columns of the same types. Raises StorageError."""
    schemas = {path: frame.collect_schema() for path, frame in frames.items()}
    target: dict[str, pl.DataType] = {}
    for path, schema in schemas.items():
        for name, kind in schema.items():
            found = common(target.get(name, kind), kind)
            if found is None:
                raise StorageError(
                    f"{path}: {name} is {kind} here and {target[name]} in the files before it, "
                    f"which do not go together; {_reload(path)}",
                    final=True,
                )
            target[name] = found
    return {
        path: frame.with_columns(
            _as_expression(name, kind, target[name], path)
            for name, kind in schemas[path].items()
            if kind != target[name]
        )
        for path, frame in frames.items()
    }


def common(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """The type in which the values of two types can stand unchanged, if there is one.

    It may hold only some values of a type: Float64 holds whole numbers up to 2**53.
    """
    if one == other:
        return one
    if pl.Null in (one, other):
        return other if one == pl.Null else one
    if one.is_nested() or other.is_nested():
        return _nested(one, other)
    if pl.String in (one, other) or (one in CHOICES and other in CHOICES):
        return None if {one, other} & {pl.Binary, pl.Object, pl.Duration} else pl.String()
    if one.is_temporal() and other.is_temporal():
        return _temporal(one, other)
    if one.is_numeric() and other.is_numeric():
        return _number(one, other)
    return None


def cast_exactly(values: pl.Series, target: pl.DataType) -> pl.Series:
    """Cast a column. Raises ValueChanges when a value would become another one."""
    found = values.cast(target, strict=False)
    _compare(values, found)
    return found


def check_values(frames: Iterable[pl.DataFrame], target: Mapping[str, pl.DataType]) -> None:
    """Raise ValueChanges, with the column, when a value of a frame is not one of its target."""
    for frame in frames:
        for name in frame.columns:
            if name in target and frame.schema[name] != target[name]:
                try:
                    cast_exactly(frame[name], target[name])
                except ValueChanges as error:
                    raise ValueChanges(f"{name}: {error}") from None


def _as_expression(name: str, kind: pl.DataType, target: pl.DataType, path: str) -> pl.Expr:
    if _holds_all(target, kind):
        return pl.col(name).cast(target)
    cast = partial(_cast_or_say, name=name, target=target, path=path)
    return pl.col(name).map_batches(cast, return_dtype=target, is_elementwise=True)


def _cast_or_say(values: pl.Series, *, name: str, target: pl.DataType, path: str) -> pl.Series:
    try:
        return cast_exactly(values, target)
    except ValueChanges as error:
        raise StorageError(
            f"{path}: {name} is {target} in other files, where {error}; {_reload(path)}",
            final=True,
        ) from None


def _reload(path: str) -> str:
    asset = asset_of_path(path)
    if asset.partition:
        return f"run that partition again:  {how_to_run(asset)}"
    return f"reload everything with  {how_to_run(asset, '--full-refresh')}"


def _compare(before: pl.Series, after: pl.Series) -> None:
    """Raise ValueChanges when a value is not what it was."""
    if isinstance(before.dtype, pl.Struct):
        for field in before.dtype.fields:
            _compare(before.struct.field(field.name), after.struct.field(field.name))
    elif isinstance(before.dtype, pl.List | pl.Array):
        _compare(before.drop_nulls().explode(), after.drop_nulls().explode())
    elif before.dtype not in (pl.Null, after.dtype):
        if after.dtype == pl.String and (before.dtype.is_temporal() or before.dtype == pl.Boolean):
            # Polars makes none of these of text; each has a text of its own.
            changed = after.is_null() != before.is_null()
        else:
            changed = after.cast(before.dtype, strict=False).ne_missing(before)
        if changed.any():
            was, becomes = (_text(column.filter(changed)) for column in (before, after))
            raise ValueChanges(f"{was} would become {becomes}")


def _text(values: pl.Series) -> str:
    return str(values.head(1).cast(pl.String, strict=False).item())


def _nested(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    if isinstance(one, pl.List) and isinstance(other, pl.List):
        inner = common(_made(one.inner), _made(other.inner))
        return None if inner is None else pl.List(inner)
    if isinstance(one, pl.Array) and isinstance(other, pl.Array) and one.size == other.size:
        inner = common(_made(one.inner), _made(other.inner))
        return None if inner is None else pl.Array(inner, one.size)
    if isinstance(one, pl.Struct) and isinstance(other, pl.Struct):
        fields: dict[str, pl.DataType] = {}
        for field in (*one.fields, *other.fields):
            kind = _made(field.dtype)
            found = common(fields.get(field.name, kind), kind)
            if found is None:
                return None
            fields[field.name] = found
        return pl.Struct(fields)
    return None


def _temporal(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    if isinstance(one, pl.Datetime) and isinstance(other, pl.Datetime):
        unit = max(one.time_unit, other.time_unit, key=UNITS.index)
        return pl.Datetime(unit, one.time_zone) if one.time_zone == other.time_zone else None
    if isinstance(one, pl.Duration) and isinstance(other, pl.Duration):
        return pl.Duration(max(one.time_unit, other.time_unit, key=UNITS.index))
    moment = one if isinstance(one, pl.Datetime) else other
    if pl.Date in (one, other) and isinstance(moment, pl.Datetime) and moment.time_zone is None:
        return moment
    return None


def _number(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    if one.is_decimal() or other.is_decimal():
        return None if one.is_float() or other.is_float() else _decimal(one, other)
    if one.is_float() or other.is_float():
        short = all(kind == pl.Float32 or BITS.get(kind, 64) <= 16 for kind in (one, other))
        return pl.Float32() if short else pl.Float64()
    if one.is_signed_integer() == other.is_signed_integer():
        return max(one, other, key=BITS.__getitem__)
    signed, unsigned = (one, other) if one.is_signed_integer() else (other, one)
    fits = (kind() for bits, kind in SIGNED.items() if BITS[signed] <= bits > BITS[unsigned])
    return next(fits, None)


def _decimal(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    (whole, scale), (others_whole, others_scale) = _digits(one), _digits(other)
    scale = max(scale, others_scale)
    return pl.Decimal(min(MOST_DIGITS, max(whole, others_whole) + scale), scale)


def _digits(kind: pl.DataType) -> tuple[int, int]:
    """The digits of a number before and after its point."""
    if isinstance(kind, pl.Decimal):
        return (kind.precision or MOST_DIGITS) - kind.scale, kind.scale
    return len(str(2 ** BITS[kind])), 0


def _holds_all(target: pl.DataType, kind: pl.DataType) -> bool:
    """Whether a type holds every value of another, so that none need be looked at."""
    if kind in (pl.Null, target):
        return True
    if target == pl.String:
        return not kind.is_temporal() and not kind.is_nested()
    if kind in BITS and target in BITS:
        return True  # as `common` chooses it
    if isinstance(kind, pl.Decimal) or isinstance(target, pl.Decimal):
        (whole, scale), (has, has_scale) = _digits(kind), _digits(target)
        return whole <= has and scale <= has_scale
    if kind in BITS and target.is_float():
        return BITS[kind] <= (32 if target == pl.Float64 else 16)
    return kind.is_float() and target == pl.Float64


def _made(kind: Any) -> pl.DataType:
    """A type, also where Polars names its class."""
    made: pl.DataType = kind() if isinstance(kind, type) else kind
    return made
