"""`Postgres(...)` is what an asset reads: a table or a query, all of it or what is new."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import sql

from polster_postgres.columns import ORDERED, Column, column
from polster_postgres.position import Reached
from polster_postgres.rows import frames
from polster_postgres.session import Link, connected
from polster_postgres.settings import PostgresSettings
from polster_runtime import Frames, Position
from polster_runtime.config.settings import load
from polster_runtime.errors import SourceError

MOST_SEEN = 50_000
"""How many rows may share the largest value of the cursor."""


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
        reached = Reached(position)
        with connected(self.connection) as link:
            columns = self._columns(link)
            chosen = sql.SQL(", ").join(column.expression for column in columns)
            rows = sql.SQL("SELECT {}, 1 FROM {} AS source {}").format(
                chosen, self._rows, self._new(reached)
            )
            for frame in frames(link, rows, columns):
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
            with connected(self.connection) as link:
                version = link.info.server_version // 10_000
                return f"PostgreSQL {version}" + (", encrypted" if link.pgconn.ssl_in_use else "")

        def read() -> str:
            with connected(self.connection) as link:
                return f"{len(self._columns(link))} columns of {self.table or 'the query'}"

        yield "settings", known
        yield "connect", connect
        yield "read", read

    @property
    def _rows(self) -> sql.Composable:
        if self.query:  # the line end is for a query that ends with a comment
            return sql.SQL("({}\n)").format(sql.SQL(self.query.strip().rstrip(";")))
        return sql.Identifier(*self.table.split("."))

    def _new(self, reached: Reached) -> sql.Composable:
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

    def _note_seen(self, link: Link, reached: Reached) -> None:
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
        columns = [column(link, one) for one in found.description or ()]
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
