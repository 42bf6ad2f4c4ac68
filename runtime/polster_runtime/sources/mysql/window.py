"""What is new in a MySQL table since the last run."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import polars as pl

from polster_runtime.errors import SourceError
from polster_runtime.sources.base import Position
from polster_runtime.sources.incremental import latest_plausible, warn_of_future
from polster_runtime.sources.mysql.columns import MySQLColumn, MySQLRows, quoted_name
from polster_runtime.sources.mysql.marks import KnownRows, SeenRows
from polster_runtime.sources.mysql.session import MySQLSession


class MySQLWindow:
    """Which rows are new: those after the cursor of the last run, and those that came late.

    A position is {"value": the largest value of the cursor, "low": that without the lag, "by": the
    columns that tell rows apart, "seen": marks of the rows in between, "ahead": the largest value
    that lies in the future, if any does}. All from `low` on is read again, and what was seen is
    dropped.
    """

    def __init__(
        self,
        session: MySQLSession,
        cursor: MySQLColumn,
        lag: int,
        position: Position,
        largest: tuple[str | None, str | None],
        told_apart: tuple[Sequence[MySQLColumn], Sequence[str]],
    ) -> None:
        self.name, self.cursor, self.lag = session.name, cursor, lag
        self.most, self.largest = largest
        """The largest value of the cursor, and that of those that do not lie in the future."""
        known = position if isinstance(position, dict) else {"value": position}
        self.before = self.parsed(known.get("value"))
        self.start = self.parsed(known.get("low", self.before))
        self.known_to = self.parsed(known.get("ahead", self.before))
        """The largest value whose rows the last run may have read."""
        self.next_start = self.without_lag(self.parsed(self.largest))
        column = quoted_name(cursor.name)
        self.after: list[str] = []
        if self.start is not None:
            sign = ">=" if "low" in known else ">"
            self.after = [f"{column} {sign} {session.literal(cursor, str(self.start))}"]
        bound = f"{column} <= {session.literal(cursor, self.most)}" if self.most else "1 = 0"
        self.conditions = [*self.after, bound]
        """Of every query: what is newer than now comes with the next run."""
        columns, key = told_apart
        by = list(dict.fromkeys([cursor.name, *key])) if key else [one.name for one in columns]
        self.known = KnownRows.of(known, columns, self.name)
        self.seen = SeenRows(columns, by, self.name, has_lag=lag > 0)

    @classmethod
    def since(
        cls,
        position: Position,
        *,
        session: MySQLSession,
        relation: str,
        cursor: MySQLColumn,
        lag: int,
        columns: Sequence[MySQLColumn],
        key: Sequence[str],
    ) -> "MySQLWindow":
        """What is new since a position; `key` are the names of the primary key.

        Raises SourceError when the source has gone back, or lacks columns that tell rows apart.
        """
        column = quoted_name(cursor.name)
        nulls = f"EXISTS(SELECT 1 FROM {relation} WHERE {column} IS NULL)"
        plausible = f"MAX({column})"
        if cursor.is_time:
            latest = session.literal(cursor, latest_plausible().strftime("%Y-%m-%d %H:%M:%S"))
            plausible = f"MAX(CASE WHEN {column} <= {latest} THEN {column} END)"
        asked = f"MAX({column}), {plausible}, {nulls if cursor.nullable else 0}"
        most, largest, with_nulls = session.one(f"SELECT {asked} FROM {relation}")
        if with_nulls == "1":
            raise SourceError(
                f"{session.name}: rows without a {cursor.name} would never be read; "
                "choose a cursor that is never NULL",
                final=True,
            )
        window = cls(session, cursor, lag, position, (most, largest), (columns, key))
        window.check_order()
        if most != largest:
            warn_of_future(session.name, cursor.name, most)
        return window

    def check_order(self) -> None:
        """Raise SourceError when the largest value is smaller than it was."""
        now = self.parsed(self.largest)
        if now is not None and self.start is not None and now < self.start:
            raise SourceError(
                f"{self.name}: the largest {self.cursor.name} is {self.largest}, but the last run "
                f"read up to {self.before}; if that is right, start over with --full-refresh, or "
                "go on from elsewhere with  polster state set",
                final=True,
            )

    def parsed(self, text: object) -> Any:
        """A value of the cursor. Raises SourceError."""
        if text is None:
            return None
        try:
            return self.cursor.parsed(text)
        except (ValueError, ArithmeticError):
            raise SourceError(
                f"{self.name}: {text!r} is no value of {self.cursor.name}; "
                "set another position with  polster state set",
                final=True,
            ) from None

    def without_lag(self, value: Any) -> Any:
        """A value of the cursor, less the lag."""
        if isinstance(value, datetime):
            return value - timedelta(seconds=self.lag)
        if isinstance(value, Decimal):
            return Context(prec=99).subtract(value, Decimal(self.lag))
        return None if value is None else value - self.lag

    def unseen(self, rows: MySQLRows, frame: pl.DataFrame) -> pl.Series:
        """Whether each of some rows is new. Remembers those that the next run meets again."""
        values = self.cursor.comparable(frame)
        new = [True] * len(rows)
        if self.known_to is not None:
            for at in (values <= self.known_to).arg_true():
                new[at] = not self.known.has(rows[at])
        if self.next_start is None:
            self.seen.add(rows)
        else:
            self.seen.add([rows[at] for at in (values >= self.next_start).arg_true()])
        return pl.Series(new, dtype=pl.Boolean)

    def reached(self) -> Position:
        """Where the next run goes on; None where it was. Raises SourceError."""
        if self.most is None:
            return None
        found: dict[str, Any] = {"value": self.largest}
        found |= {"low": str(self.next_start)} if self.next_start is not None else {}
        found |= {"ahead": self.most} if self.most != self.largest else {}
        return found | self.seen.as_position()
