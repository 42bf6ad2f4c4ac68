"""The columns of a MySQL table: their types, and how the text of the server becomes their values.

Values arrive as the server's own text, and Polars gives them the types of the columns: nothing is
rounded, cut or guessed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import polars as pl
from pymysql.constants import FIELD_TYPE as TYPE  # type: ignore[import-untyped]
from pymysql.constants import FLAG

from polster_runtime.errors import SourceError
from polster_runtime.sources.incremental import plain_number

BadDates = Literal["error", "null", "text"]
"""What becomes of dates that no calendar has: 0000-00-00, 2026-00-00, 2026-02-30."""
MySQLRows = list[tuple[Any, ...]]
"""Rows as they arrive: all values are bytes, or None."""

INTEGER_TYPES = {
    *(TYPE.TINY, TYPE.SHORT, TYPE.INT24, TYPE.LONG, TYPE.LONGLONG, TYPE.YEAR),
}
"""All of them arrive as 64 bits: in narrower ones sums would overflow."""
DECIMAL_TYPES = {TYPE.DECIMAL, TYPE.NEWDECIMAL}
FLOAT_TYPES: dict[int, type[pl.DataType]] = {TYPE.FLOAT: pl.Float32, TYPE.DOUBLE: pl.Float64}
DATE_TYPES = {TYPE.DATE, TYPE.NEWDATE}
DATETIME_TYPES = {*DATE_TYPES, TYPE.DATETIME, TYPE.TIMESTAMP}
STRING_TYPES = {
    *(TYPE.VARCHAR, TYPE.VAR_STRING, TYPE.STRING, TYPE.BIT, TYPE.GEOMETRY),
    *(TYPE.BLOB, TYPE.TINY_BLOB, TYPE.MEDIUM_BLOB, TYPE.LONG_BLOB),
}
CURSOR_TYPES = {*INTEGER_TYPES, *DECIMAL_TYPES, *DATETIME_TYPES}
"""What a cursor may be."""
INEXACT_TYPES = {*FLOAT_TYPES, TYPE.BIT}
"""Whose values cannot be compared with their own text."""
BINARY_CHARSET = 63
"""The number of the character set of bytes."""
MAX_DECIMAL_DIGITS = 38
"""The longest decimal of Polars; longer ones stay text."""


@dataclass(frozen=True)
class MySQLColumn:
    """A column: how it is asked for, how it arrives, and how it gets its type."""

    name: str
    kind: int
    nullable: bool
    is_enumerated: bool
    """Whether it is an ENUM or a SET: these are ordered by number, and compared as text."""
    raw: type[pl.DataType]
    type: pl.DataType

    @staticmethod
    def of(field: Any, bad_dates: BadDates) -> "MySQLColumn":
        """The column that a server describes."""
        is_binary = field.type_code in STRING_TYPES and field.charsetnr == BINARY_CHARSET
        raw = pl.Binary if is_binary else pl.String
        type_ = _polars_type(field, bad_dates) or raw()
        return MySQLColumn(
            name=field.name,
            kind=field.type_code,
            nullable=not field.flags & FLAG.NOT_NULL,
            is_enumerated=bool(field.flags & (FLAG.ENUM | FLAG.SET)),
            raw=raw,
            type=type_,
        )

    @property
    def selected(self) -> str:
        """The column as a query asks for it; the server rounds a FLOAT that it sends as text."""
        name = quoted_name(self.name)
        return f"{name} * 1e0 AS {name}" if self.kind == TYPE.FLOAT else name

    @property
    def typed(self) -> pl.Expr:
        """The text that arrived, as what it means."""
        text = pl.col(self.name)
        if isinstance(self.type, pl.Duration):
            return _duration(text).alias(self.name)
        if isinstance(self.type, pl.Date):
            return text.str.to_date("%Y-%m-%d", strict=False)
        if isinstance(self.type, pl.Datetime):
            moment = _datetime(text)
            return moment.dt.replace_time_zone("UTC") if self.type.time_zone else moment
        if isinstance(self.type, pl.Float32):
            return text.cast(pl.Float64).cast(pl.Float32)
        return text if self.type == self.raw else text.cast(self.type)

    @property
    def is_number(self) -> bool:
        """Whether SQL has its values without quotes."""
        return self.kind in INTEGER_TYPES or self.kind in DECIMAL_TYPES

    def parsed(self, text: object) -> "int | Decimal | datetime":
        """A value of it to compare with others: times without a zone. Raises ValueError."""
        if self.kind in INTEGER_TYPES:
            return int(str(text))
        if self.kind in DECIMAL_TYPES:
            return Decimal(str(text))
        found = datetime.fromisoformat(str(text))
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found

    @property
    def is_time(self) -> bool:
        """Whether its values are dates or times of day on dates."""
        return self.kind in DATETIME_TYPES

    @property
    def is_ordered(self) -> bool:
        """Whether `ORDER BY` goes by what a comparison with its own text goes by."""
        return not self.is_enumerated and self.kind not in INEXACT_TYPES

    def plain(self, value: bytes | None) -> bytes | None:
        """A value as it came, in a form that stays when the column gets a wider type."""
        if value is None or not (self.is_number or self.kind in DATETIME_TYPES):
            return value
        if self.is_number:
            return plain_number(value.decode()).encode()
        whole, _, fraction = value.partition(b".")
        fraction = fraction.rstrip(b"0")
        return whole.removesuffix(b" 00:00:00") if not fraction else whole + b"." + fraction

    def comparable(self, frame: pl.DataFrame) -> pl.Series:
        """Its values in a frame, to compare with one that was `parsed`."""
        found = frame[self.name]
        if found.dtype == pl.String and self.kind in DATETIME_TYPES:
            return frame.select(_datetime(pl.col(self.name))).to_series()
        if found.dtype == pl.Date:
            return found.cast(pl.Datetime("us"))
        return found.dt.replace_time_zone(None) if isinstance(found.dtype, pl.Datetime) else found


def typed_frame(
    rows: MySQLRows, columns: Sequence[MySQLColumn], bad_dates: BadDates, name: str
) -> pl.DataFrame:
    """Rows with the types of their columns.

    Raises SourceError for a date that is none, if bad dates are errors; `name` is for its message.
    """
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrived = [pl.Series(c.name, v, pl.Binary) for c, v in zip(columns, values, strict=True)]
    raw = pl.DataFrame(arrived).cast({column.name: column.raw for column in columns})
    frame = raw.select(column.typed for column in columns)
    if bad_dates == "error":
        for column in columns:
            if column.kind in DATETIME_TYPES:
                _check_dates(raw[column.name], frame[column.name], name)
    return frame


def quoted_name(name: str) -> str:
    """A name as SQL has it."""
    return "`" + name.replace("`", "``") + "`"


def quoted_names(names: Iterable[str]) -> str:
    """Some names as SQL has them."""
    return ", ".join(map(quoted_name, names))


def _polars_type(field: Any, bad_dates: BadDates) -> pl.DataType | None:
    """The type of a column; None if it is that of its text."""
    kind, is_unsigned = field.type_code, bool(field.flags & FLAG.UNSIGNED)
    if kind in INTEGER_TYPES:
        return pl.UInt64() if is_unsigned and kind == TYPE.LONGLONG else pl.Int64()
    if kind in DECIMAL_TYPES:
        # The length counts the sign and the point.
        digits = field.length - (not is_unsigned) - bool(field.scale)
        return pl.Decimal(digits, field.scale) if digits <= MAX_DECIMAL_DIGITS else None
    if kind in FLOAT_TYPES:
        return FLOAT_TYPES[kind]()
    if kind == TYPE.TIME:
        return pl.Duration("us")
    if kind not in DATETIME_TYPES or bad_dates == "text":
        return None
    if kind in DATE_TYPES:
        return pl.Date()
    return pl.Datetime("us", "UTC" if kind == TYPE.TIMESTAMP else None)


def _duration(text: pl.Expr) -> pl.Expr:
    """A TIME, from -838:59:59 to 838:59:59, as a duration."""
    part = text.str.extract_groups(r"^(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$").struct
    hours, minutes, seconds = (part.field(str(n)).cast(pl.Int64) for n in (2, 3, 4))
    micro = part.field("5").fill_null("").str.pad_end(6, "0").cast(pl.Int64)
    total = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micro
    return pl.when(part.field("1") == "-").then(-total).otherwise(total).cast(pl.Duration("us"))


def _datetime(text: pl.Expr) -> pl.Expr:
    return text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)


def _check_dates(texts: pl.Series, dates: pl.Series, name: str) -> None:
    """Raise SourceError for a text that is no date."""
    if dates.null_count() > texts.null_count():
        bad = texts.filter(dates.is_null()).drop_nulls()
        raise SourceError(
            f"{name}: {texts.name} holds {bad[0]!r}, which is no date; "
            'let bad_dates be "null" or "text"',
            final=True,
        )
