"""Casts to the types of a contract, and whether they keep each value.

Numbers and times must be the same after the cast: 1.0 becomes 1, 1.7 is rejected. Text is parsed:
numbers as Polars does it, dates and times in ISO 8601, and `true` or `false`. A column whose
contract says `metadata={"rounded": True}` takes the nearest value instead.
"""

from collections.abc import Callable, Sequence
from typing import Any

import dataframely as dy
import polars as pl

ROUNDED = "rounded"
"""The key of a column's metadata that says that a cast may round."""
EXACT_UP_TO: dict[type[pl.DataType], int] = {pl.Float32: 2**24, pl.Float64: 2**53}
"""Whole numbers that a type of float holds without a gap."""
DIGITS = {"ms": 3, "us": 6, "ns": 9}
"""Of a fraction of a second."""
_MOST_DIGITS = 38
"""Of a decimal."""
TEXTS = (pl.String, pl.Categorical, pl.Enum, pl.Binary)
_YEAR = r"^[-+]?\d{4}"
"""Of fewer digits, 24 would be the year 24."""
_LEAP_SECOND = r":\d\d:60"
"""What Polars reads as the first second of the next minute."""
TIMES = ("%H:%M:%S%.f", "%H:%M")


def is_needed(source: pl.DataType, column: dy.Column) -> bool:
    """Whether a column has another type than its contract asks for."""
    return not column.validate_dtype(source)


def cast(value: pl.Expr, source: pl.DataType, column: dy.Column) -> pl.Expr:
    """The value in the type of the contract; null where it, or a part of it, cannot be cast."""
    return _cast(value, source, column.dtype, rounds=_rounds(column))


def _cast(value: pl.Expr, source: pl.DataType, target: pl.DataType, *, rounds: bool) -> pl.Expr:
    if source == pl.Binary and target in TEXTS:
        value, source = value.map_batches(_decoded, pl.String, is_elementwise=True), pl.String()
    if _has_texts(source, target):
        return _cast_parts(value, source, target, rounds=rounds)
    if source == pl.String:
        if parsed := _parsed(value, target):
            return pl.coalesce(parsed).cast(target, strict=False)
    elif rounds and target.is_integer() and (source.is_float() or source.is_decimal()):
        value = value.round(0)
    if source.is_float() and isinstance(target, pl.Decimal):
        # What has too many digits is an error of Polars, even where null is asked for.
        most = 10 ** ((target.precision or _MOST_DIGITS) - target.scale)
        value = pl.when(value.round(target.scale).abs() < most).then(value)
    return value.cast(target, strict=False)


def is_unchanged(value: pl.Expr, made: pl.Expr, source: pl.DataType, column: dy.Column) -> pl.Expr:
    """Whether a value that was cast is the same as before; true where it could not be cast."""
    return _is_unchanged(value, made, source, column.dtype, rounds=_rounds(column))


def _is_unchanged(
    value: pl.Expr, made: pl.Expr, source: pl.DataType, target: pl.DataType, *, rounds: bool
) -> pl.Expr:
    if source == pl.Null or (target == pl.String and not source.is_nested()):
        same = pl.lit(True)
    elif not _is_meant(source, target):
        same = pl.lit(False)
    elif target == pl.Boolean and source.is_numeric():
        same = (value == 0) | (value == 1)
    elif rounds:
        same = (~made.is_infinite() | made.is_nan()) if target.is_float() else pl.lit(True)
    elif source.is_decimal() and target.is_float():
        same = _same_text(value.cast(pl.String), made, target)
    elif _has_texts(source, target):
        same = _of_all_parts(
            value,
            source,
            target,
            lambda part, one, other: _is_unchanged(
                part, _cast(part, one, other, rounds=False), one, other, rounds=False
            ),
        )
    elif source == pl.String:
        same = _same_text(value, made, target)
    elif source in TEXTS:
        same = pl.lit(True)
    else:
        same = _comes_back(value, made, source, target)
    return made.is_null() | same


def _has_texts(source: pl.DataType, target: pl.DataType) -> bool:
    """Whether two nested types differ in parts that are text, which Polars does not parse."""
    return any(
        one != other and (one in (pl.String, pl.Binary) or _has_texts(one, other))
        for one, other in _parts(source, target)
    )


def _parts(source: pl.DataType, target: pl.DataType) -> list[tuple[Any, Any]]:
    """The types of the parts of two nested types; none where they differ in more than those."""
    if isinstance(source, pl.Struct) and isinstance(target, pl.Struct):
        kinds = {field.name: field.dtype for field in source.fields}
        if kinds.keys() == {field.name for field in target.fields}:
            return [(kinds[field.name], field.dtype) for field in target.fields]
    if isinstance(source, pl.List) and isinstance(target, pl.List):
        return [(source.inner, target.inner)]
    if isinstance(source, pl.Array) and isinstance(target, pl.Array):
        return [(source.inner, target.inner)] if source.shape == target.shape else []
    return []


def _cast_parts(
    value: pl.Expr, source: pl.DataType, target: pl.DataType, *, rounds: bool
) -> pl.Expr:
    def made(part: pl.Expr, one: pl.DataType, other: pl.DataType) -> pl.Expr:
        return _cast(part, one, other, rounds=rounds)

    def can_be(part: pl.Expr, one: pl.DataType, other: pl.DataType) -> pl.Expr:
        return part.is_null() | made(part, one, other).is_not_null()

    pairs = _parts(source, target)
    if isinstance(target, pl.Struct):
        parts = [
            made(value.struct.field(field.name), *pair).alias(field.name)
            for field, pair in zip(target.fields, pairs, strict=True)
        ]
        whole: pl.Expr = pl.when(value.is_not_null()).then(pl.struct(parts))
    else:
        whole = _each(value, source, made(pl.element(), *pairs[0]))
    return pl.when(_of_all_parts(value, source, target, can_be)).then(whole)


def _of_all_parts(
    value: pl.Expr,
    source: pl.DataType,
    target: pl.DataType,
    holds: Callable[[pl.Expr, pl.DataType, pl.DataType], pl.Expr],
) -> pl.Expr:
    """Whether something holds of all parts of a value of nested types."""
    pairs = _parts(source, target)
    if isinstance(target, pl.Struct):
        return pl.all_horizontal(
            holds(value.struct.field(field.name), *pair)
            for field, pair in zip(target.fields, pairs, strict=True)
        )
    found = _each(value, source, holds(pl.element(), *pairs[0]))
    return found.list.all() if isinstance(source, pl.List) else found.arr.all()


def _each(value: pl.Expr, kind: pl.DataType, expression: pl.Expr) -> pl.Expr:
    lists = isinstance(kind, pl.List)
    return value.list.eval(expression) if lists else value.arr.eval(expression)


def _decoded(values: pl.Series) -> pl.Series:
    """Bytes as text; null where they are not UTF-8."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        texts = [None if value is None else _text(value) for value in values]
        return pl.Series(values.name, texts, dtype=pl.String)


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _is_meant(source: pl.DataType, target: pl.DataType) -> bool:
    """Whether a type means the same kind of thing: a number is no day, and no place in a list."""
    if source in TEXTS:
        return source in (pl.String, pl.Binary) or target in TEXTS
    if all(kind in (pl.Date, pl.Datetime) for kind in (source, target)):
        # Of one zone alone, the wall time would shift; a day has none.
        zones = {getattr(kind, "time_zone", None) for kind in (source, target)}
        return None not in zones or not zones - {None, "UTC"}
    if source.is_temporal() and target.is_temporal():
        return source.base_type() == target.base_type()
    counts = [kind.is_numeric() or kind == pl.Boolean for kind in (source, target)]
    return all(counts) or _are_parts_meant(source, target)


def _are_parts_meant(source: pl.DataType, target: pl.DataType) -> bool:
    """Whether two nested types have parts that mean the same kind of things."""
    pairs = list[tuple[Any, Any]]()
    if isinstance(source, pl.Struct) and isinstance(target, pl.Struct):
        wanted = {field.name: field.dtype for field in target.fields}
        pairs = [(one.dtype, wanted[one.name]) for one in source.fields if one.name in wanted]
    elif isinstance(source, pl.List | pl.Array) and isinstance(target, pl.List | pl.Array):
        pairs = [(source.inner, target.inner)]
    elif not (source.is_nested() and target.is_nested()):
        return False
    return all(
        pl.String() == other or one in (pl.Null(), other) or _is_meant(one, other)
        for one, other in pairs
    )


def _rounds(column: dy.Column) -> bool:
    return bool((column.metadata or {}).get(ROUNDED))


def _parsed(text: pl.Expr, target: pl.DataType) -> Sequence[pl.Expr]:
    """What Polars does not cast text to: attempts, of which the first that is not null counts."""
    day = text.str.to_date("%Y-%m-%d", strict=False)
    if target == pl.Date:
        return [day]
    if target == pl.Time:
        return [text.str.to_time(form, strict=False) for form in TIMES]
    if target == pl.Boolean:
        lower = text.str.to_lowercase()
        return [pl.when(lower.is_in(["true", "false"])).then(lower == "true")]
    if isinstance(target, pl.Datetime):
        unit, zone = target.time_unit, target.time_zone
        forms = [f"%Y-%m-%d{between}{time}" for between in ("T", " ") for time in TIMES]
        if zone is None:
            moments = (text.str.to_datetime(f, time_unit=unit, strict=False) for f in forms)
            return [*moments, day.cast(target, strict=False)]
        text = text.str.replace("Z$", "+00:00")
        moments = (
            text.str.to_datetime(f"{form}%z", time_unit=unit, strict=False) for form in forms
        )
        return [moment.dt.convert_time_zone(zone) for moment in moments]
    return []


def _same_text(text: pl.Expr, made: pl.Expr, target: pl.DataType) -> pl.Expr:
    """Whether a text is what was made of it."""
    if isinstance(target, pl.Decimal):
        number = text.cast(pl.Float64, strict=False)
        exponent = text.str.contains("[eE]")
        same = made.cast(pl.Float64) == number
        return pl.when(exponent).then(same).otherwise(~_has_more(text, target.scale))
    if target.is_float():
        known = made.abs() < EXACT_UP_TO.get(type(target), 2**11)
        whole = ~made.is_infinite() & (digits(text) == digits(made.cast(pl.String)))
        infinite = text.str.to_lowercase().str.contains("inf")
        far = pl.when(infinite).then(made.is_infinite()).otherwise(whole)
        return known | made.is_nan() | far
    if target == pl.Time:
        return ~_has_more(text, DIGITS["ns"])
    if target == pl.Date:
        return text.str.contains(_YEAR)
    if isinstance(target, pl.Datetime):
        kept = text.str.contains(_YEAR) & ~text.str.contains(_LEAP_SECOND)
        return kept & ~_has_more(text, DIGITS[target.time_unit])
    if target.is_nested():
        return _comes_back(text, made, pl.String(), target)
    return pl.lit(True)


def _has_more(text: pl.Expr, digits: int) -> pl.Expr:
    """Whether a fraction has more digits than so many, beside zeros at its end."""
    return text.str.contains(rf"\.\d{{{digits}}}\d*[1-9]")


def digits(text: pl.Expr) -> pl.Expr:
    """The digits of a number, without the zeros around them."""
    mantissa = text.str.to_lowercase().str.replace("e.*$", "")
    return mantissa.str.replace_all("[^0-9]", "").str.strip_chars("0")


def _comes_back(value: pl.Expr, made: pl.Expr, source: pl.DataType, target: pl.DataType) -> pl.Expr:
    """Whether the value is the same once it is cast back; never where it cannot be."""
    try:
        pl.DataFrame({"x": pl.Series([None], dtype=target)}).select(pl.col("x").cast(source))
    except pl.exceptions.PolarsError:
        return pl.lit(False)
    return made.cast(source, strict=False).eq_missing(value)
