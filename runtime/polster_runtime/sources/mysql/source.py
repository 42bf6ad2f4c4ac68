"""MySQL and MariaDB, with PyMySQL.

    source = MySQL(table="orders", cursor="updated_at")    # MYSQL_HOST, MYSQL_USER ... in .env

`MySQL(...)` is what an asset reads: a table or a query, all of it or what is new. `connect_mysql`
and `fetch_mysql_data` are for assets written by hand.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import polars as pl
import pymysql  # type: ignore[import-untyped]

from polster_runtime.config import interruption
from polster_runtime.config.logging import log
from polster_runtime.config.settings import load
from polster_runtime.errors import SourceError
from polster_runtime.sources.base import Frames, Position
from polster_runtime.sources.mysql.columns import (
    CURSOR_TYPES,
    BadDates,
    MySQLColumn,
    MySQLRows,
    quoted_name,
    quoted_names,
    typed_frame,
)
from polster_runtime.sources.mysql.session import (
    MySQLSession,
    MySQLSettings,
    connect_mysql,
    server_version,
)
from polster_runtime.sources.mysql.window import MySQLWindow

__all__ = ["MySQL", "MySQLSettings", "connect_mysql", "fetch_mysql_data"]

RECONNECT_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each new try when the connection was lost."""
LOST_CONNECTION = {0, 1053, 1927, 2006, 2013, 2014}
"""Numbers of errors that say so."""


def fetch_mysql_data(
    query: str,
    parameters: Sequence[object] = (),
    *,
    connection: str = "MYSQL",
    bad_dates: BadDates = "error",
) -> Iterator[pl.DataFrame]:
    """Yield the rows of a query, frame by frame; `parameters` stand for each %s in it.

    Raises SettingsError and SourceError.
    """
    source = MySQL(query=query, parameters=parameters, connection=connection, bad_dates=bad_dates)
    for frame in source.read():
        yield frame.lazy().collect()


@dataclass(frozen=True, kw_only=True)
class MySQL:
    """A table or a query.

    With a `cursor`, a column that only grows such as updated_at, a run reads only what has come
    since the last one. `lag` is how far behind the largest value of the cursor a row may still
    arrive: in seconds, or in whatever the cursor counts. Each row is read once all the same.
    """

    table: str = ""
    query: str = ""
    parameters: Sequence[object] = ()
    cursor: str = ""
    lag: int = 0
    bad_dates: BadDates = "error"
    connection: str = "MYSQL"

    def read(self, position: Position = None) -> Frames:
        """Yield the rows after a position, and return the new one. Raises SourceError."""
        with closing(_MySQLReading(self)) as reading:
            return (yield from reading.frames(position))

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """What `polster doctor` tries."""
        yield "settings", lambda: load(MySQLSettings, prefix=self.connection).place
        yield "connect", lambda: server_version(connect_mysql(self.connection))
        yield "read", lambda: _MySQLReading(self).summary()


class _MySQLReading:
    """One reading of a source, over as many connections as it takes."""

    def __init__(self, source: MySQL) -> None:
        self.source = source
        self.session = MySQLSession(source.connection, source.table or "(query)")
        self.columns: list[MySQLColumn] = []
        self.key: list[str] = []
        """The primary key."""

    def close(self) -> None:
        """Close the connection."""
        self.session.close()

    def summary(self) -> str:
        """What there is to read, without reading it."""
        with closing(self):
            self.open()
            self.cursor()
            return f"{self.session.name}: {len(self.columns)} columns"

    def frames(self, position: Position) -> Frames:
        """Yield the rows after a position; return the new one."""
        self.open()
        window, is_empty = self.window(position), True
        for rows in self.batches(window):
            frame, is_empty = self.typed(rows), False
            self.session.fit_batches(frame)
            yield frame.filter(window.unseen(rows, frame)) if window else frame
        if is_empty:
            yield self.typed([])
        return window.reached() if window else None

    def typed(self, rows: MySQLRows) -> pl.DataFrame:
        """Rows with the types of their columns. Raises SourceError for a date that is none."""
        return typed_frame(rows, self.columns, self.source.bad_dates, self.session.name)

    def open(self) -> None:
        """Connect, begin a snapshot, and ask for the columns. Raises SourceError."""
        self.session.open()
        self.columns = self.session.columns(self.relation, self.source.bad_dates)
        self.key = [] if self.source.query else self.session.primary_key(self.relation)

    def reopen(self, error: Exception, waits: Iterator[float]) -> None:
        """Connect again after a while; raise what is wrong when that fails too often."""
        columns, name = self.columns, self.session.name
        for seconds in waits:
            details = {"source": name, "reason": str(error), "seconds": seconds}
            log.warning("connection lost, going on where it was", extra={"details": details})
            interruption.sleep(seconds)
            try:
                self.open()
            except SourceError as again:
                if again.final:
                    raise
                error = again
                continue
            if self.columns != columns:
                raise SourceError(f"{name}: its columns changed meanwhile; run it again")
            return
        raise error if isinstance(error, SourceError) else self.session.explained(error)

    def window(self, position: Position) -> MySQLWindow | None:
        """What is new since a position; None without a cursor, when all is read."""
        cursor = self.cursor()
        if cursor is None:
            return None
        return MySQLWindow.since(
            position,
            session=self.session,
            relation=self.relation,
            cursor=cursor,
            lag=self.source.lag,
            columns=self.columns,
            key=self.key,
        )

    def cursor(self) -> MySQLColumn | None:
        """The column of the cursor. Raises SourceError when there is none such."""
        wanted = self.source.cursor
        if not wanted:
            return None
        found = {c.name.casefold(): c for c in self.columns}.get(wanted.casefold())
        if found is None:
            names = ", ".join(column.name for column in self.columns)
            why = f"there is no column {wanted} to be the cursor; there are {names}"
        elif found.kind not in CURSOR_TYPES:
            why = f"{wanted} cannot be the cursor; choose a column of whole numbers or times"
        else:
            return found
        raise SourceError(f"{self.session.name}: {why}", final=True)

    def batches(self, window: MySQLWindow | None) -> Iterator[MySQLRows]:
        """The rows, some at a time; a lost connection is made again where the order is known."""
        order = self.order(window)
        names = [column.name for column in self.columns]
        places = [names.index(name) for name in order]
        waits, after = iter(RECONNECT_WAITS), None
        while True:
            try:
                for rows in self.session.rows(self.select(window, order, after)):
                    yield rows
                    after = [rows[-1][place] for place in places]
                    waits = iter(RECONNECT_WAITS)
                return
            except pymysql.Error as error:
                is_lost = not error.args or error.args[0] in LOST_CONNECTION
                if not is_lost or (after is not None and not order):
                    raise self.session.explained(error) from None
                self.reopen(error, waits)

    def order(self, window: MySQLWindow | None) -> list[str]:
        """The columns that tell where to go on; none where only all rows can be read."""
        ordered = {column.name for column in self.columns if column.is_ordered}
        if not self.key or not ordered.issuperset(self.key):
            return []
        first = [window.cursor.name] if window and window.after else []
        return list(dict.fromkeys([*first, *self.key]))

    def select(self, window: MySQLWindow | None, order: list[str], after: list[Any] | None) -> str:
        """The query for all rows, or for those after the values of a row in some order."""
        conditions = list(window.conditions) if window else []
        if after:
            known = {column.name: column for column in self.columns}
            values = [self.session.literal(known[n], v) for n, v in zip(order, after, strict=True)]
            conditions.append(f"({quoted_names(order)}) > ({', '.join(values)})")
        return " ".join(
            [
                f"SELECT {', '.join(column.selected for column in self.columns)}",
                f"FROM {self.relation}",
                *([f"WHERE {' AND '.join(conditions)}"] if conditions else []),
                *([f"ORDER BY {quoted_names(order)}"] if order else []),
            ]
        )

    @property
    def relation(self) -> str:
        """The table or the query as it stands behind FROM. Raises SourceError."""
        if not self.source.query:
            return ".".join(map(quoted_name, self.source.table.split(".")))
        query = self.source.query.strip().rstrip(";")
        if self.source.parameters:
            query = self.session.with_parameters(query, self.source.parameters)
        return f"({query}\n) AS polster"
