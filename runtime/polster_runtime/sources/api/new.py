"""Which records of an API are new since the last run."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from polster_runtime.errors import SourceError
from polster_runtime.sources.api.cursors import api_as, api_is_future, api_minus, api_order
from polster_runtime.sources.api.paths import api_at
from polster_runtime.sources.base import Position
from polster_runtime.sources.incremental import (
    MARK_BYTES,
    MAX_MARKS,
    mark,
    packed_marks,
    plain_number,
    unpacked_marks,
    warn_of_future,
)

Record = Mapping[str, Any]
MAX_UNMARKED = 10_000
"""How many recent records are held before marks are made of them."""


class ApiNew:
    """Tells the records that are new from those that were there the last time.

    A position is {"value": the largest cursor, "seen": marks of what was read within the lag of it,
    "key" or "by": the field, or the paths of those, that these marks are made of, "ahead": the
    largest cursor, if it lies in the future}. So a record that arrives late, or has the same cursor
    as the last one, arrives all the same, and none twice.
    """

    def __init__(self, cursor: str, lag: float, position: Position, key: str = "") -> None:
        known = position if isinstance(position, dict) else {"value": position}
        self.cursor, self.lag, self.key = cursor, lag, key
        self.value: Any = known.get("value")
        self.order = None if self.value is None else api_order(self.value)
        self.floor = None if self.order is None else api_minus(self.order, lag)
        self.ahead: Any = None
        self.known = _Known(known, cursor, self.order)
        self.recent: list[tuple[Any, bytes]] = []
        self.unmarked: list[tuple[Any, Record]] = []
        """Recent ones, too; of most of them no mark is ever needed."""
        self.by = set[str]()
        self.mark = _marking(cursor, key, None)

    @property
    def since(self) -> Any:
        """What to ask the API for, in the form of its own cursors."""
        if not self.lag or self.floor is None:
            return self.value
        return api_as(self.floor, self.value)

    def position(self, source: str) -> Position:
        """Where this run has got to; None where it was. Raises SourceError."""
        if not self.cursor or (self.value is None and self.ahead is None):
            return None
        self.known.check(source)
        self.recent += self.known.not_met(self.key)
        self.by |= self.known.by
        self._mark_recent(source)
        found = {"value": self.value, "seen": packed_marks(one for _, one in self.recent)}
        found |= {"key": self.key} if self.key else {"by": sorted(self.by)}
        if self.ahead is not None:
            warn_of_future(source, self.cursor, self.ahead)
            found["ahead"] = self.ahead
        return found

    def takes(self, record: Record) -> bool:
        """Whether a record is new. Raises SourceError for one that cannot be told."""
        if not self.cursor:
            return True
        value = api_at(record, self.cursor)
        if value is None:
            raise SourceError(
                f"a record has no {self.cursor}, but {', '.join(record)}; check `cursor`",
                final=True,
            )
        try:
            return self._compares(record, value)
        except TypeError:
            raise SourceError(
                f"{self.cursor} is {value!r} in one record and {self.value!r} in another: "
                "they have no order; choose another `cursor`",
                final=True,
            ) from None

    def _compares(self, record: Record, value: Any) -> bool:
        order = api_order(value)
        if self.floor is not None and order < self.floor:
            return False
        if api_is_future(order):
            self.ahead = value if self.ahead is None else max(self.ahead, value, key=api_order)
        elif self.order is None or order > self.order:
            self.value, self.order = value, order
        if self.order is None or order >= api_minus(self.order, self.lag):
            self._remember(record, order)
        return not self.known.has(record, order)

    def _remember(self, record: Record, order: Any) -> None:
        """Keep a record that the next run meets again."""
        self.unmarked.append((order, record))
        if len(self.unmarked) >= MAX_UNMARKED:
            self._mark_recent(self.cursor)

    def _mark_recent(self, source: str) -> None:
        """Make marks of the records that are still recent. Raises SourceError for too many."""
        least = None if self.order is None else api_minus(self.order, self.lag)
        for order, record in self.unmarked:
            if least is None or order >= least:
                self.recent.append((order, self.mark(record)))
                if not self.key:
                    self.by.update(path for path, _ in _leaves(record))
        self.unmarked.clear()
        self.recent = [one for one in self.recent if least is None or one[0] >= least]
        if len(self.recent) > MAX_MARKS:
            raise SourceError(
                f"{source}: more than {MAX_MARKS:,} records have the largest cursor or lie within "
                "the lag; shorten it, or choose another cursor",
                final=True,
            )


class _Known:
    """The records that the last run has read and that this one meets again."""

    def __init__(self, position: Mapping[str, Any], cursor: str, order: Any) -> None:
        self.marks = Counter(unpacked_marks(position.get("seen", "")))
        self.up_to = api_order(position["ahead"]) if "ahead" in position else order
        self.by, self.key = set(position.get("by", ())), position.get("key", "")
        self.mark = (
            _marking(cursor, self.key, self.by or None)
            if {"key", "by"} & position.keys()
            else _mark_of_line
        )
        self.present, self.is_unmatched = set[str](), False

    def has(self, record: Record, order: Any) -> bool:
        """Whether the last run has read a record; of equal ones each counts."""
        if not self.marks or self.up_to is None or order > self.up_to:
            return False
        found = self.mark(record)
        self.present.update(path for path, _ in _leaves(record))
        self.marks[found] -= 1
        is_known = self.marks[found] >= 0
        self.is_unmatched |= not is_known
        return is_known

    def not_met(self, key: str) -> list[tuple[Any, bytes]]:
        """The marks of records that the API did not give this time, but may the next."""
        is_alike = self.key == key and self.mark is not _mark_of_line
        left = self.marks.elements() if is_alike else ()
        return [(self.up_to, one) for one in left]

    def check(self, source: str) -> None:
        """Raise SourceError where a field is gone by which records were told apart."""
        gone = self.by - self.present
        if self.is_unmatched and gone:
            raise SourceError(
                f"{source}: without {', '.join(sorted(gone))} records that were read cannot be "
                "told from new ones; name the field that tells them apart as `key`, and read all "
                "of them with --full-refresh",
                final=True,
            )


def _marking(cursor: str, key: str, by: set[str] | None) -> Callable[[Record], bytes]:
    """What makes marks: of the key and the cursor, or of some fields (None: all) of a record."""

    def of_key(record: Record) -> bytes:
        value = api_at(record, key)
        if value is None:
            raise SourceError(
                f"a record has no {key}, but {', '.join(record)}; check `key`", final=True
            )
        return mark([str(api_order(api_at(record, cursor))), _plain(value)])

    def of_fields(record: Record) -> bytes:
        fields = (
            f"{path}={text}"
            for path, text in _leaves(record)
            if path != cursor and (by is None or path in by)
        )
        return mark([str(api_order(api_at(record, cursor))), *sorted(fields)])

    return of_key if key else of_fields


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The values in a record that are there, as text, and where: ("address.city", "'Ulm'").

    Those of a list have the number of their element before them, and one path.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            for place, text in _leaves(inner, f"{path}[]"):
                yield place, f"{number}:{text}"
    elif value is not None:
        yield path, _plain(value)


def _plain(value: Any) -> str:
    """A value as text that stays when fields without a value come, and when 5 becomes 5.0."""
    if isinstance(value, dict):
        known = sorted((name, one) for name, one in value.items() if one is not None)
        return f"{{{','.join(f'{name!r}:{_plain(one)}' for name, one in known)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_plain, value))}]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return plain_number(getattr(value, "text", value))
    return repr(value)


def _mark_of_line(record: Record) -> bytes:
    """A mark as Polster 0.1 made it: positions have them until the next run."""
    line = json.dumps(record, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return hashlib.blake2b(line, digest_size=MARK_BYTES).digest()
