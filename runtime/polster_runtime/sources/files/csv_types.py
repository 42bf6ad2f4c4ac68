"""Columns of CSV in types that somebody has named: each value exactly, or an error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import dataframely as dy
import polars as pl

from polster_runtime.assets import casts
from polster_runtime.errors import SourceError
from polster_runtime.sources.files.csv_dialect import CsvDialect, CsvOptions
from polster_runtime.sources.files.csv_records import Record
from polster_runtime.sources.files.found_files import DataFile

_NAMED = re.compile(r"(\w+)\s*(?:\(([\d\s,]*)\))?")
_COLUMNS: dict[str, type[dy.Column]] = {
    "Boolean": dy.Bool,
    "Date": dy.Date,
    "Datetime": dy.Datetime,
    "Decimal": dy.Decimal,
    "Float64": dy.Float64,
    "Int64": dy.Int64,
    "String": dy.String,
    "Time": dy.Time,
}


class CsvFile(Protocol):
    """A file whose rows can be read again."""

    file: DataFile
    dialect: CsvDialect

    def records(self) -> Iterator[Record]:
        """Yield the rows, one by one."""


class _WrongValueError(Exception):
    """A text that is no value of its type."""

    def __init__(self, column: str, text: str, kind: pl.DataType) -> None:
        super().__init__(column, text, kind)
        self.column, self.text, self.kind = column, text, kind


def typed_frames(
    frames: Iterable[pl.DataFrame], options: CsvOptions, files: Sequence[CsvFile]
) -> Iterator[pl.DataFrame]:
    """Yield frames of text in the types that are named.

    Raises SourceError, which names the column that there is not, or the file and the line of the
    value that is none of its type.
    """
    types = _Types(options)
    for frame in frames:
        types.check(frame.columns)
        try:
            yield types.cast(frame)
        except _WrongValueError as error:
            raise _told(error, files) from None


def exactly(text: pl.Expr, column: dy.Column) -> tuple[pl.Expr, pl.Expr]:
    """What is made of a text, and whether it says the same: 007 is no number."""
    made = casts.cast(text, pl.String(), column)
    kept = casts.is_unchanged(text, made, pl.String(), column)
    if column.dtype.is_float():
        kept &= casts.digits(text) == casts.digits(made.cast(pl.String))
    if column.dtype.is_numeric():
        kept &= text.str.contains(r"^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$")
    return made, kept


def _told(error: _WrongValueError, files: Iterable[CsvFile]) -> SourceError:
    said = f"{error.column} is {error.text!r}, which is no {error.kind}, or not exactly"
    if error.kind.is_numeric() and "," in error.text:
        said += '; say which sign its decimals have: decimal=","'
    for one in files:
        if error.column in one.dialect.columns:
            number = one.dialect.columns.index(error.column)
            for record in one.records():
                if record.fields[number : number + 1] == [error.text]:
                    return SourceError(f"{one.file.shown}, line {record.line}: {said}", final=True)
    return SourceError(said, final=True)


class _Types:
    """The types of some columns; the others are text."""

    def __init__(self, options: CsvOptions) -> None:
        self.columns = {name: _column(name, kind) for name, kind in options.types.items()}
        self.decimal = options.decimal

    def check(self, columns: Sequence[str]) -> None:
        """Raise SourceError for a column that there is not."""
        if missing := self.columns.keys() - set(columns):
            raise SourceError(
                f"types names {', '.join(sorted(missing))}, but the files have the columns "
                f"{', '.join(columns)}",
                final=True,
            )

    def cast(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a frame of text in its types. Raises _WrongValueError."""
        made = [self._cast(frame[name], column) for name, column in self.columns.items()]
        return frame.with_columns(made)

    def _cast(self, texts: pl.Series, column: dy.Column) -> pl.Series:
        kind, text = column.dtype, pl.col(texts.name)
        if kind == pl.String:
            return texts
        filled = pl.when(text != "").then(text)
        number = self._with_point(filled) if kind.is_numeric() else filled
        made, kept = exactly(number, column)
        seen = texts.to_frame().select(
            made.alias("made"), (filled.is_null() | (made.is_not_null() & kept)).alias("kept")
        )
        wrong = texts.filter(~seen["kept"])
        if wrong.len():
            raise _WrongValueError(texts.name, wrong[0], kind)
        return seen["made"].alias(texts.name)

    def _with_point(self, text: pl.Expr) -> pl.Expr:
        """Return numbers with a point, and without the signs between groups of three digits."""
        if not self.decimal:
            return text
        sign, group = (r"\.", ",") if self.decimal == "." else (",", r"\.")
        grouped = text.str.contains(rf"^-?\d{{1,3}}({group}\d{{3}})+({sign}\d+)?$")
        plain = pl.when(grouped).then(text.str.replace_all(group, "")).otherwise(text)
        if self.decimal == ".":
            return plain
        # Nothing is left of a number that has a point where a comma is meant.
        return pl.when(~plain.str.contains(r"\.")).then(plain.str.replace(",", ".", literal=True))


def _column(name: str, kind: Any) -> dy.Column:
    found = _NAMED.fullmatch(str(kind).strip())
    made = _COLUMNS.get(found[1]) if found else None
    arguments = [int(one) for one in ((found and found[2]) or "").split(",") if one.strip()]
    if made is None or bool(arguments) != (made is dy.Decimal) or len(arguments) not in {0, 2}:
        raise SourceError(
            f"{name} cannot have the type {kind}; there are {', '.join(_COLUMNS)}; "
            "Decimal(10, 2) has ten digits, two of them decimals",
            final=True,
        )
    return made(*arguments, nullable=True)
