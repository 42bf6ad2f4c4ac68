"""The types of JSON values: what was seen of all of them, and the type that holds each exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

MAX_DEPTH = 64
"""How many levels of lists and objects a record may have."""
EXACT_INTEGER = 2**53
"""The largest integer up to which a float holds each one (IEEE 754, 53 bits of mantissa)."""
SAFE_DIGITS = 15
"""Decimal digits that a float always keeps (DBL_DIG of C)."""

NULL, BOOLEAN, INTEGER, WIDE, HUGE, FLOAT, EXACT, TEXT, LIST, STRUCT = range(10)


class TooDeepError(ValueError):
    """A value with more levels than MAX_DEPTH."""


class Number(float):
    """A number with a point or an exponent, and how it is written."""

    __slots__ = ("text",)
    text: str

    @classmethod
    def parse(cls, text: str) -> Number:
        """Return the number of a JSON token."""
        number = cls(text)
        number.text = text
        return number


def parse_float(text: str) -> float | Number:
    """Return a float, or a Number where a float cannot hold what is written."""
    value = float(text)
    short = len(text) <= SAFE_DIGITS + 1 and "e" not in text and "E" not in text
    return value if short or is_exact(value, text) else Number.parse(text)


def is_exact(value: float, text: str) -> bool:
    """Whether a float prints as the very number that is written: 0.1 does, 1e400 does not."""
    return math.isfinite(value) and Decimal(repr(value)) == Decimal(text)


def json_text(value: Any) -> str:
    """Return a value as JSON, its numbers as they were written; a text as it is."""
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    if isinstance(value, dict):
        inner = (f"{json.dumps(k, ensure_ascii=False)}: {_json(v)}" for k, v in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    if isinstance(value, Number):
        return value.text
    return json.dumps(value, ensure_ascii=False)


class Shape:
    """What was seen of a value: its kinds, its fields, its elements."""

    __slots__ = ("element", "fields", "kinds")

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.kinds: set[int] = set()
        self.fields: dict[str, Shape] = {}
        self.element: Shape | None = None

    def see(self, value: Any, depth: int = 0) -> None:
        """Take a value into account. Raises TooDeepError."""
        kind = type(value)
        if kind is str:
            self.kinds.add(TEXT)
        elif kind is int:
            self.kinds.add(_integer(value))
        elif kind is float:
            self.kinds.add(FLOAT)
        elif value is None:
            self.kinds.add(NULL)
        elif kind is dict:
            self._see_fields(value, depth)
        elif kind is list:
            self._see_elements(value, depth)
        else:
            self.kinds.add(BOOLEAN if kind is bool else EXACT)

    def _see_fields(self, value: Mapping[str, Any], depth: int) -> None:
        _check(depth)
        self.kinds.add(STRUCT)
        fields = self.fields
        for name, inner in value.items():
            shape = fields.get(name)
            if shape is None:
                shape = fields[name] = Shape()
            shape.see(inner, depth + 1)

    def _see_elements(self, value: list[Any], depth: int) -> None:
        _check(depth)
        self.kinds.add(LIST)
        if value and self.element is None:
            self.element = Shape()
        for inner in value:
            self.element.see(inner, depth + 1)  # type: ignore[union-attr]

    @property
    def is_mixed(self) -> bool:
        """Whether its values are kept as text though not all of them are texts."""
        kinds = self.kinds - {NULL}
        return bool(kinds) and kinds != {TEXT} and not self._holds_alike(kinds)

    @property
    def has_mixed(self) -> bool:
        """Whether it, or anything in it, is mixed."""
        if self.is_mixed:
            return True
        inner = [*self.fields.values(), *([self.element] if self.element else [])]
        return any(shape.has_mixed for shape in inner)

    def _holds_alike(self, kinds: set[int]) -> bool:
        if kinds == {STRUCT}:
            return bool(self.fields)  # an object without fields is no column of Parquet
        alike = ({INTEGER, WIDE}, {INTEGER, FLOAT}, {BOOLEAN}, {LIST})
        return any(kinds <= some for some in alike)

    def dtype(self) -> pl.DataType:
        """Return the type that holds all of it; text where nothing else does."""
        import polars as pl

        kinds = self.kinds - {NULL}
        if not kinds:
            return pl.Null()
        if kinds == {TEXT} or not self._holds_alike(kinds):
            return pl.String()
        if kinds == {STRUCT}:
            return pl.Struct({name: shape.dtype() for name, shape in self.fields.items()})
        if kinds == {LIST}:
            return pl.List(self.element.dtype() if self.element else pl.Null())
        if kinds == {BOOLEAN}:
            return pl.Boolean()
        return pl.Float64() if FLOAT in kinds else pl.Int64()

    @property
    def type_name(self) -> str:
        """The name of the type, as Polars calls it."""
        kinds = self.kinds - {NULL}
        if not kinds:
            return "Null"
        if kinds == {TEXT} or not self._holds_alike(kinds):
            return "String"
        if kinds == {STRUCT}:
            inner = ", ".join(f"{name!r}: {one.type_name}" for name, one in self.fields.items())
            return f"Struct({{{inner}}})"
        if kinds == {LIST}:
            return f"List({self.element.type_name if self.element else 'Null'})"
        if kinds == {BOOLEAN}:
            return "Boolean"
        return "Float64" if FLOAT in kinds else "Int64"

    def converter(self) -> Callable[[Any], Any] | None:
        """Return what makes a value one of the type; None if all of them are already."""
        kinds = self.kinds - {NULL}
        if self.is_mixed:
            return _optional(json_text)
        if FLOAT in kinds:
            return _optional(float)
        if kinds == {STRUCT}:
            fields = {name: shape.converter() for name, shape in self.fields.items()}
            needed = {name: convert for name, convert in fields.items() if convert}
            return _of_fields(needed) if needed else None
        if kinds == {LIST} and self.element and (convert := self.element.converter()):
            return _of_elements(convert)
        return None


def _optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _of_fields(converters: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if value is None:
            return None
        changed = {name: do(value[name]) for name, do in converters.items() if name in value}
        return value | changed

    return convert


def _of_elements(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else [convert(inner) for inner in value]


def _integer(value: int) -> int:
    if -EXACT_INTEGER <= value <= EXACT_INTEGER:
        return INTEGER
    return WIDE if -(2**63) <= value < 2**63 else HUGE


def _check(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TooDeepError(f"nested deeper than {MAX_DEPTH} levels")
