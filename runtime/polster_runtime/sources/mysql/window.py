"""What is new in a MySQL table since the last run."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import polars as pl

from polster_runtime.config.logging import log
from polster_runtime.errors import SourceError
from polster_runtime.sources.base import Position
from polster_runtime.sources.mysql.columns import MySQLColumn, MySQLRows, quoted_name
from polster_runtime.sources.mysql.session import MySQLSession

MAX_REMEMBERED_ROWS = 200_000
"""How many rows may lie within the lag, or share the largest value of the cursor."""


class MySQLWindow:
    """Which rows are new: those after the cursor of the last run, and those that came late.

    A position is {"value": the largest value of the cursor, "low": that without the lag, "seen":
    fingerprints of the rows in between}. All from `low` on is read again, and what was seen is
    dropped.
    """

    def __init__(
        self,
        session: MySQLSession,
        cursor: MySQLColumn,
        lag: int,
        position: Position,
        largest: str | None,
    ) -> None:
        self.name, self.cursor, self.lag, self.largest = session.name, cursor, lag, largest
        known = position if isinstance(position, dict) else {"value": position}
        self.before = self.parsed(known.get("value", position))
        self.start = self.parsed(known.get("low", self.before))
        self.known = Counter[str](known.get("seen", ()))
        self.next_start = self.without_lag(self.parsed(largest))
        self.seen: list[str] = []
        column = quoted_name(cursor.name)
        self.conditions: list[str] = []
        if self.start is not None:
            sign = ">=" if "low" in known else ">"
            self.conditions = [f"{column} {sign} {session.literal(cursor, str(self.start))}"]
        self.bound = f"{column} <= {session.literal(cursor, str(largest))}"

    @classmethod
    def since(
        cls,
        position: Position,
        *,
        session: MySQLSession,
        relation: str,
        cursor: MySQLColumn,
        lag: int,
    ) -> "MySQLWindow":
        """What is new since a position. Raises SourceError when the source has gone back."""
        column = quoted_name(cursor.name)
        nulls = f"EXISTS(SELECT 1 FROM {relation} WHERE {column} IS NULL)"
        asked = f"MAX({column}), {nulls if cursor.nullable else 0}"
        largest, with_nulls = session.one(f"SELECT {asked} FROM {relation}")
        if with_nulls == "1":
            raise SourceError(
                f"{session.name}: rows without a {cursor.name} would never be read; "
                "choose a cursor that is never NULL",
                final=True,
            )
        window = cls(session, cursor, lag, position, largest)
        window.check_order()
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
        """Whether each of some rows is new. Remembers those within the lag."""
        values = self.cursor.comparable(frame)
        new = [True] * len(rows)
        if self.start is not None:
            for at in (values <= self.before).arg_true():
                new[at] = not self.was_seen(_fingerprint(rows[at]))
        if self.next_start is not None and len(self.seen) <= MAX_REMEMBERED_ROWS:
            late = (values >= self.next_start).arg_true()
            self.seen += [_fingerprint(rows[at]) for at in late]
        return pl.Series(new, dtype=pl.Boolean)

    def was_seen(self, fingerprint: str) -> bool:
        """Whether the last run has read a row; of equal ones each counts."""
        self.known[fingerprint] -= 1
        return self.known[fingerprint] >= 0

    def reached(self) -> Position:
        """Where the next run goes on. Raises SourceError when the lag holds too many rows."""
        if self.largest is None:
            return None
        if len(self.seen) <= MAX_REMEMBERED_ROWS:
            return {"value": self.largest, "low": str(self.next_start), "seen": self.seen}
        if self.lag:
            raise SourceError(
                f"{self.name}: more than {MAX_REMEMBERED_ROWS:,} rows lie within the lag; "
                "shorten it",
                final=True,
            )
        details = {"source": self.name, self.cursor.name: self.largest}
        log.warning("late rows of this value will not be read", extra={"details": details})
        return self.largest


def _fingerprint(row: Sequence[Any]) -> str:
    """A short hash of a row, the same in every run and on every machine."""
    return hashlib.blake2b(repr(tuple(row)).encode(), digest_size=8).hexdigest()
