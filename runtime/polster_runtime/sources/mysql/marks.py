"""Marks of rows: which of them the last run has read, and which the next one will meet again.

Rows are told apart by the cursor and the primary key. Without one it takes all columns; then a mark
is of the columns that were there when it was made, so that a new column changes none.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from polster_runtime.errors import SourceError
from polster_runtime.sources.incremental import (
    MARK_BYTES,
    MAX_MARKS,
    mark,
    packed_marks,
    unpacked_marks,
)
from polster_runtime.sources.mysql.columns import MySQLColumn, MySQLRows


class KnownRows:
    """The rows that the last run has read and that this one meets again."""

    def __init__(self, marks: Counter[bytes], marker: "_Marker | _WholeRow") -> None:
        self.marks, self.marker = marks, marker

    @classmethod
    def of(
        cls, position: Mapping[str, Any], columns: Sequence[MySQLColumn], name: str
    ) -> "KnownRows":
        """The rows of a position. Raises SourceError when a column that tells them is gone."""
        marks = Counter(unpacked_marks(position.get("seen", "")))
        if "by" not in position:
            return cls(marks, _WholeRow())
        by = position["by"]
        there = {column.name for column in columns}
        if marks and (gone := [one for one in by if one not in there]):
            raise SourceError(
                f"{name}: without the column {', '.join(gone)} rows that were read cannot be told "
                "from new ones; give it a primary key, and read all of it with --full-refresh",
                final=True,
            )
        return cls(marks, _Marker(columns, [one for one in by if one in there]))

    def has(self, row: Sequence[bytes | None]) -> bool:
        """Whether the last run has read a row; of equal ones each counts."""
        if not self.marks:
            return False
        found = self.marker.of(row)
        self.marks[found] -= 1
        return self.marks[found] >= 0


class SeenRows:
    """The rows of this run that the next one will meet again."""

    def __init__(
        self, columns: Sequence[MySQLColumn], by: list[str], name: str, *, has_lag: bool
    ) -> None:
        self.by, self.name, self.has_lag = by, name, has_lag
        self.marker, self.marks = _Marker(columns, by), list[bytes]()

    def add(self, rows: MySQLRows) -> None:
        """Remember rows. Raises SourceError when there are too many."""
        self.marks += map(self.marker.of, rows)
        if len(self.marks) > MAX_MARKS:
            where = (
                "lie within the lag; shorten it"
                if self.has_lag
                else ("have the largest value of the cursor; choose another cursor")
            )
            raise SourceError(f"{self.name}: more than {MAX_MARKS:,} rows {where}", final=True)

    def as_position(self) -> dict[str, Any]:
        """What a position holds of them."""
        return {"by": self.by, "seen": packed_marks(self.marks)}


class _Marker:
    """Makes marks of some columns of rows."""

    def __init__(self, columns: Sequence[MySQLColumn], by: Sequence[str]) -> None:
        places = {column.name: at for at, column in enumerate(columns)}
        self.parts = [(places[name], columns[places[name]].plain) for name in by]

    def of(self, row: Sequence[bytes | None]) -> bytes:
        return mark(plain(row[place]) for place, plain in self.parts)


class _WholeRow:
    """Makes marks as Polster 0.1 did: positions have them until the next run."""

    def of(self, row: Sequence[bytes | None]) -> bytes:
        return hashlib.blake2b(repr(tuple(row)).encode(), digest_size=MARK_BYTES).digest()
