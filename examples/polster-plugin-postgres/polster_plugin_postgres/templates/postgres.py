"""PostgreSQL, with psycopg.

`Postgres(...)` is what an asset reads: a table or a query, all of it or what is new. Rows arrive as
PostgreSQL's own text (COPY), and Polars gives them the types of the columns: nothing is rounded,
cut or guessed. What no type of Polars holds is an error, or stays text: see
docs/connectors/postgres-guide.md.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
import psycopg
from psycopg import sql

from core.settings import load
from polster_runtime import Frames, Position
from polster_runtime.errors import SourceError

BATCH_BYTES = 8_000_000
"""How much is held in memory at once: bytes of rows, as text."""
CONNECT_SECONDS = 10
DIGITS, PLACES = 38, 18
"""The longest decimal of Polars; and the decimal places of a numeric that has no limit itself."""
TOO_LONG = r"\.\d{18}\d*[1-9]"
"""A number with more of them."""
MOST_SEEN = 50_000
"""How many rows may share the largest value of the cursor."""
SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
"""How PostgreSQL writes values: so that nothing is lost, whatever the server's settings are."""
FINAL = (psycopg.ProgrammingError, psycopg.NotSupportedError)
HOPELESS = ("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf")
"""What the server says to those whom it will not let in at the next try either."""

INTEGERS: dict[str, type[pl.DataType]] = {
    "int2": pl.Int16,
    "int4": pl.Int32,
    "int8": pl.Int64,
    "oid": pl.UInt32,
}
FLOATS: dict[str, type[pl.DataType]] = {"float4": pl.Float32, "float8": pl.Float64}
ORDERED = {*INTEGERS, "numeric", "date", "timestamp", "timestamptz", "uuid"}
"""What a cursor may be."""
Link = psycopg.Connection[Any]


@dataclass(frozen=True, kw_only=True)
class PostgresSettings:
    """One field a variable: POSTGRES_HOST, or CRM_HOST where the connection is called CRM."""

    host: str
    port: int = 5432
    user: str
    password: str = field(default="", repr=False)
    database: str
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"

    def __str__(self) -> str:
        return f"PostgreSQL: {self.user}@{self.host}:{self.port}/{self.database}"


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


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A table or a query.

    With a `cursor`, a column that only grows such as updated_at, a run reads only what has come
    since the last one, and each row once.
    """

    table: str = ""
    query: str = ""
    cursor: str = ""
    connection: str = "POSTGRES"
    """What its variables start with."""

    def read(self, position: Position = None) -> Frames:
        """Yield the rows, batch by batch; return the position that they reach.

        Raises SettingsError for variables that lack, and SourceError.
        """
        reached = _Reached(position)
        with self._connected() as link:
            columns = self._columns(link)
            chosen = sql.SQL(", ").join(column.expression for column in columns)
            rows = sql.SQL("SELECT {}, 1 FROM {} AS source {}").format(
                chosen, self._rows, self._new(reached)
            )
            for frame in _frames(link, rows, columns):
                if self.cursor:
                    reached.note(frame[self.cursor])
                yield frame
            if self.cursor:
                self._note_seen(link, reached)
        return reached.position

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """What `polster doctor` tries, in order."""

        def known() -> str:
            return str(load(PostgresSettings, prefix=self.connection))

        def connect() -> str:
            with self._connected() as link:
                version = link.info.server_version // 10_000
                return f"PostgreSQL {version}" + (", encrypted" if link.pgconn.ssl_in_use else "")

        def read() -> str:
            with self._connected() as link:
                return f"{len(self._columns(link))} columns of {self.table or 'the query'}"

        yield "settings", known
        yield "connect", connect
        yield "read", read

    @property
    def _rows(self) -> sql.Composable:
        if self.query:  # the line end is for a query that ends with a comment
            return sql.SQL("({}\n)").format(sql.SQL(self.query.strip().rstrip(";")))
        return sql.Identifier(*self.table.split("."))

    def _new(self, reached: "_Reached") -> sql.Composable:
        """The condition for rows that no run has read yet."""
        if not self.cursor or reached.value is None:
            return sql.SQL("")
        return sql.SQL(
            "WHERE {cursor} >= {value} "
            "AND NOT ({cursor} = {value} AND md5(source::text) = ANY({seen}))"
        ).format(
            cursor=sql.Identifier(self.cursor),
            value=sql.Literal(reached.value),
            seen=sql.Literal(reached.seen),
        )

    def _note_seen(self, link: Link, reached: "_Reached") -> None:
        """Remember the rows with the largest value: others may get the same one later."""
        if reached.value is None:
            return
        found = link.execute(
            sql.SQL("SELECT md5(source::text) FROM {} AS source WHERE {} = {} LIMIT {}").format(
                self._rows,
                sql.Identifier(self.cursor),
                sql.Literal(reached.value),
                MOST_SEEN + 1,
            )
        ).fetchall()
        if len(found) > MOST_SEEN:
            raise SourceError(
                f"more than {MOST_SEEN:,} rows have the {self.cursor} {reached.value}; "
                "choose a cursor that tells them apart",
                final=True,
            )
        reached.seen = sorted(row[0] for row in found)

    def _columns(self, link: Link) -> list[Column]:
        """The columns, and whether the cursor is one. Raises SourceError."""
        found = link.execute(sql.SQL("SELECT * FROM {} AS source LIMIT 0").format(self._rows))
        columns = [_column(link, one) for one in found.description or ()]
        types = {column.name: column for column in columns}
        if len(types) < len(columns) or not columns:
            names = ", ".join(column.name for column in columns) or "none"
            raise SourceError(f"the columns are {names}; give each a name of its own", final=True)
        if self.cursor and self.cursor not in types:
            raise SourceError(
                f"there is no column {self.cursor}; the cursor is one of {', '.join(types)}",
                final=True,
            )
        if self.cursor and (types[self.cursor].kind not in ORDERED or types[self.cursor].is_array):
            raise SourceError(
                f"the cursor {self.cursor} is {types[self.cursor].kind}; "
                "choose a column of whole numbers, dates or times",
                final=True,
            )
        return columns

    @contextmanager
    def _connected(self) -> Iterator[Link]:
        """A transaction that reads, and sees one state of the data throughout."""
        known = load(PostgresSettings, prefix=self.connection)
        try:
            with closing(_connect(known)) as link:
                yield link
        except psycopg.Error as error:
            raise _explained(error, known, self.connection) from None


class _Reached:
    """How far the rows have been read: the largest value of the cursor, and who has it."""

    def __init__(self, position: Position) -> None:
        if not isinstance(position, dict):  # from `polster state set`, or None
            position = {"value": position, "seen": []}
        self.value: str | int | None = position.get("value")
        self.seen: list[str] = position.get("seen", [])
        self._largest: Any = None

    @property
    def position(self) -> Position:
        """What the next run begins with."""
        return None if self.value is None else {"value": self.value, "seen": self.seen}

    def note(self, values: pl.Series) -> None:
        """Look for larger values among new ones."""
        largest = values.max()
        if largest is not None and (self._largest is None or largest > self._largest):
            self._largest = largest
            self.value = largest if isinstance(largest, int) else str(largest)


def _connect(known: PostgresSettings) -> Link:
    link = psycopg.connect(
        host=known.host,
        port=known.port,
        user=known.user,
        password=known.password or None,
        dbname=known.database,
        sslmode=known.sslmode,
        connect_timeout=CONNECT_SECONDS,
        client_encoding="UTF8",
        application_name="polster",
        prepare_threshold=None,  # connections may be shared, by PgBouncer
    )
    link.read_only = True
    link.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    for name, value in SESSION.items():
        link.execute("SELECT set_config(%s, %s, true)", (name, value))
    return link


def _column(link: Link, described: psycopg.Column) -> Column:
    """A column, with the name of its type where psycopg knows it."""
    known = link.adapters.types.get(described.type_code)
    return Column(
        name=described.name,
        kind=known.name if known else "text",
        is_array=known is not None and described.type_code == known.array_oid,
        scale=described.scale,
    )


def _frames(link: Link, rows: sql.Composable, columns: list[Column]) -> Iterator[pl.DataFrame]:
    """The rows in batches; one that is empty where there are none."""
    size, lines, some = 0, [b""], False
    with link.cursor().copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(rows)) as copy:
        for line in copy:  # PostgreSQL sends one row at a time
            lines.append(bytes(line))
            size += len(line)
            if size >= BATCH_BYTES:
                yield _frame(lines, columns)
                size, lines, some = 0, [b""], True
    if size or not some:
        yield _frame(lines, columns)


def _frame(lines: list[bytes], columns: list[Column]) -> pl.DataFrame:
    """Lines of CSV as rows. Raises SourceError for a value that Polars has no type for."""
    # The last column, always 1, keeps a line with nothing but a NULL from being empty.
    schema = {str(number): column.arrives_as for number, column in enumerate(columns)}
    texts = pl.read_csv(
        b"".join(lines),
        has_header=False,
        schema={**schema, "end": pl.String},
        raise_if_empty=False,
    )
    parsed = []
    for number, column in enumerate(columns):
        try:
            parsed.append(
                texts.select(column.parse(pl.col(str(number))).alias(column.name)).to_series()
            )
        except pl.exceptions.PolarsError as error:
            raise SourceError(
                f"column {column.name} ({column.kind}) has values that Polars has no room for: "
                f"{_values(error)}; select it otherwise, as the guide says",
                final=True,
            ) from None
    return pl.DataFrame(parsed)


def _values(error: pl.exceptions.PolarsError) -> str:
    """The values that Polars names in its message."""
    line = str(error).partition("\n")[0]
    return line.partition("values: ")[2].replace('"~', '"') or line


def _explained(error: psycopg.Error, known: PostgresSettings, prefix: str) -> SourceError:
    """What went wrong, in one line, and what to do."""
    said = " ".join((error.diag.message_primary or str(error)).split())
    if error.sqlstate == "42P01":
        return SourceError(f"{known}: {said}; check name and schema: sales.orders", final=True)
    if isinstance(error, FINAL):
        return SourceError(f"{known}: {said}; check the table or the query", final=True)
    if any(word in said for word in HOPELESS):
        reason = said.rpartition("FATAL: ")[2].strip()
        names = ", ".join(f"{prefix}_{name}" for name in ("USER", "PASSWORD", "DATABASE"))
        return SourceError(f"{known}: {reason}; check {names}", final=True)
    reason = said.rpartition("failed: ")[2].partition(" Is the server running")[0]
    return SourceError(f"{known}: {reason}; check {prefix}_HOST and {prefix}_PORT, and the network")
