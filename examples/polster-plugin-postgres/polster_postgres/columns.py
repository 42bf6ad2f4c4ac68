"""The columns of a table or a query, and the types that Polars gives them.

Nothing is rounded, cut or guessed: what no type of Polars holds is an error, or stays text, as
docs/connectors/postgres-guide.md says.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
import psycopg
from psycopg import sql

from polster_postgres.session import Link

DIGITS, PLACES = 38, 18
"""The longest decimal of Polars; and the decimal places of a numeric that has no limit itself."""
TOO_LONG = r"\.\d{18}\d*[1-9]"
"""A number with more of them."""
INTEGERS: dict[str, type[pl.DataType]] = {
    "int2": pl.Int16,
    "int4": pl.Int32,
    "int8": pl.Int64,
    "oid": pl.UInt32,
}
FLOATS: dict[str, type[pl.DataType]] = {"float4": pl.Float32, "float8": pl.Float64}
ORDERED = {*INTEGERS, "numeric", "date", "timestamp", "timestamptz", "uuid"}
"""What a cursor may be."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as PostgreSQL describes it: the name of its type, or of that of its elements."""

    name: str
    kind: str
    is_array: bool = False
    scale: int | None = None

    @property
    def expression(self) -> sql.Composable:
        """How to select it: an array as a list of texts."""
        name = sql.Identifier(self.name)
        return sql.SQL("to_json({}::text[])").format(name) if self.is_array else name

    @property
    def arrives_as(self) -> type[pl.DataType]:
        """What Polars reads it as at first."""
        return pl.String if self.is_array else INTEGERS.get(self.kind, pl.String)

    def parse(self, column: pl.Expr) -> pl.Expr:
        """Give what has arrived its type."""
        if self.is_array:
            return column.str.json_decode(pl.List(pl.String)).list.eval(self._parse(pl.element()))
        return self._parse(column)

    def _parse(self, text: pl.Expr) -> pl.Expr:
        if self.kind in INTEGERS:
            return text.cast(INTEGERS[self.kind])
        if self.kind in FLOATS:
            return text.cast(FLOATS[self.kind])
        return PARSERS[self.kind](text, self) if self.kind in PARSERS else text


def _moment(text: pl.Expr) -> pl.Expr:
    return text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us")


def _in_utc(text: pl.Expr) -> pl.Expr:
    return _moment(text.str.strip_suffix("+00")).dt.replace_time_zone("UTC")


def _decimal(text: pl.Expr, column: Column) -> pl.Expr:
    if column.scale is not None:
        return text.cast(pl.Decimal(DIGITS, max(column.scale, 0)))
    # Polars would round it; what is no number it reports.
    marked = pl.when(text.str.contains(TOO_LONG)).then("~" + text).otherwise(text)
    return marked.cast(pl.Decimal(DIGITS, PLACES))


PARSERS: dict[str, Callable[[pl.Expr, Column], pl.Expr]] = {
    "bool": lambda text, _: text.is_in(["t", "true"]),
    "bytea": lambda text, _: text.str.strip_prefix("\\x").str.decode("hex"),
    "date": lambda text, _: text.str.to_date("%Y-%m-%d"),
    "numeric": _decimal,
    "time": lambda text, _: text.str.to_time("%H:%M:%S%.f"),
    "timestamp": lambda text, _: _moment(text),
    "timestamptz": lambda text, _: _in_utc(text),
}


def column(link: Link, described: psycopg.Column) -> Column:
    """A column, with the name of its type where psycopg knows it."""
    known = link.adapters.types.get(described.type_code)
    return Column(
        name=described.name,
        kind=known.name if known else "text",
        is_array=known is not None and described.type_code == known.array_oid,
        scale=described.scale,
    )
