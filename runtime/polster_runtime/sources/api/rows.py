"""Rows of an API: records become frames of the same columns."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

import polars as pl

from polster_runtime.config import paths
from polster_runtime.errors import SourceError
from polster_runtime.sources.base import Position

API_IN_MEMORY = 8 * 2**20
"""Bytes of a page that are read at once; a larger one is read record by record."""
API_FRAME_BYTES = 16 * 2**20
"""Bytes of JSON that become one frame."""
API_PLAIN = {str, float, bool, type(None)}


class ApiNew:
    """Tells the records that are new from those that were there the last time.

    A position is the largest cursor, and what was seen within the lag of it: so a record that
    arrives late, or has the same cursor as the last one, arrives all the same, and none twice.
    """

    def __init__(self, cursor: str, lag: float, position: Position) -> None:
        known = position if isinstance(position, dict) else {"value": position}
        self.cursor, self.lag = cursor, lag
        self.value: Any = known.get("value")
        self.order = None if self.value is None else _api_order(self.value)
        self.floor = None if self.order is None else _api_minus(self.order, lag)
        self.seen: set[str] = set(known.get("seen", ()))
        self.recent: dict[str, Any] = dict.fromkeys(self.seen, self.floor)
        self.limit = 10_000

    @property
    def since(self) -> Any:
        """What to ask the API for, in the form of its own cursors."""
        if not self.lag or self.floor is None:
            return self.value
        return _api_as(self.floor, self.value)

    @property
    def position(self) -> Position:
        """Where this run has got to; None where it was."""
        if not self.cursor or self.value is None:
            return None
        self._forget()
        return {"value": self.value, "seen": sorted(self.recent)}

    def takes(self, record: dict[str, Any], line: bytes) -> bool:
        """Whether a record is new; `line` is what tells it from others."""
        if not self.cursor:
            return True
        value = api_at(record, self.cursor)
        if value is None:
            raise SourceError(
                f"a record has no {self.cursor}, but {', '.join(record)}; check `cursor`",
                final=True,
            )
        try:
            return self._compares(value, line)
        except TypeError:
            raise SourceError(
                f"{self.cursor} is {value!r} in one record and {self.value!r} in another: "
                "they have no order; choose another `cursor`",
                final=True,
            ) from None

    def _compares(self, value: Any, line: bytes) -> bool:
        order = _api_order(value)
        if self.floor is not None and order < self.floor:
            return False
        mark = hashlib.blake2b(line, digest_size=8).hexdigest()
        if mark in self.seen:
            self.recent[mark] = order
            return False
        if self.order is None or order > self.order:
            self.value, self.order = value, order
        if order >= _api_minus(self.order, self.lag):
            self.recent[mark] = order
            if len(self.recent) > self.limit:
                self._forget()
                self.limit = 2 * len(self.recent) + 10_000
        return True

    def _forget(self) -> None:
        least = _api_minus(self.order, self.lag)
        self.recent = {mark: order for mark, order in self.recent.items() if order >= least}


class ApiRows:
    """Records on disk (in memory, while they are few), and the types of all of them."""

    def __init__(self, types: Mapping[str, Any], flatten: bool) -> None:
        self.types, self.flatten = types, flatten
        self.file, self.count = api_file(), 0
        self.shape = _ApiShape()
        # Sorted, so that a record is the same whatever the order of its fields.
        self._text = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

    def close(self) -> None:
        self.file.close()

    def add(self, record: dict[str, Any], new: ApiNew) -> None:
        """Keep a record, if it is new."""
        line = self._text(record).encode("utf-8", "replace")
        if new.takes(record, line):
            self.shape.see(record)
            self.file.write(line + b"\n")
            self.count += 1

    def frames(self, place: str) -> Iterator[pl.DataFrame]:
        """The records as frames, all of the same columns."""
        own = {name: pl.String if kind.is_decimal() else kind for name, kind in self.types.items()}
        schema = {name: shape.dtype() for name, shape in self.shape.fields.items()} | own
        decimals: Any = {name: kind for name, kind in self.types.items() if kind.is_decimal()}
        self.file.seek(0)
        while schema and (lines := self.file.readlines(API_FRAME_BYTES)):
            try:
                frame = pl.read_ndjson(b"".join(lines), schema=schema).cast(decimals)
                frame = _api_flat(frame) if self.flatten else frame
            except pl.exceptions.PolarsError as error:
                said = str(error).splitlines()[0]
                raise SourceError(
                    f"{place}: {said}; check `types` and `flatten`", final=True
                ) from None
            yield frame


class _ApiShape:
    """What was seen of a value: its kinds, its fields, its elements."""

    def __init__(self) -> None:
        self.kinds: set[type] = set()
        self.fields: dict[str, _ApiShape] = {}
        self.element: _ApiShape | None = None

    def see(self, value: Any) -> None:
        """Take a value into account."""
        kind = type(value)
        if kind is dict:
            for name, inner in value.items():
                shape = self.fields.get(name)
                if shape is None:
                    shape = self.fields[name] = _ApiShape()
                if type(inner) in API_PLAIN:
                    shape.kinds.add(type(inner))  # as see() would, but sooner
                else:
                    shape.see(inner)
        elif kind is list:
            if self.element is None:
                self.element = _ApiShape()
            for inner in value:
                self.element.see(inner)
        elif kind is int and not -(2**63) <= value < 2**63:
            kind = Decimal  # whole, but too long for 64 bits
        self.kinds.add(kind)

    def dtype(self) -> Any:
        """The type that holds all of it; text (JSON, if it is nested) where nothing else does."""
        kinds = self.kinds - {type(None)}
        if not kinds:
            return pl.Null
        if kinds == {dict} and self.fields:
            return pl.Struct({name: shape.dtype() for name, shape in self.fields.items()})
        if kinds == {list} and self.element:
            return pl.List(self.element.dtype())
        if kinds <= {int, float}:
            return pl.Int64 if kinds == {int} else pl.Float64
        return pl.Boolean if kinds == {bool} else pl.String


def api_file() -> IO[bytes]:
    """A file that is in memory while it is small, and gone when it is closed."""
    paths.staging_dir().mkdir(parents=True, exist_ok=True)
    file = SpooledTemporaryFile(max_size=API_IN_MEMORY, dir=str(paths.staging_dir()))  # noqa: SIM115
    return cast(IO[bytes], file)


def _api_flat(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame whose structs are columns: address__city."""
    while structs := [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]:
        frame = frame.unnest(structs, separator="__")
    return frame


def api_at(value: Any, path: str) -> Any:
    """What is at a path, "meta.next", of a document; None where there is no such thing."""
    while isinstance(value, dict) and path:
        if path in value:
            return value[path]
        name, _, path = path.partition(".")
        value = value.get(name)
    return None if path else value


def _api_order(value: Any) -> Any:
    """A cursor as what it is ordered by: a time, a number, or else text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SourceError(f"{value!r} is no cursor: it has no order; choose another", final=True)
    if not isinstance(value, str):
        return value
    if value.isdecimal():
        return int(value)
    try:
        time_of = datetime.fromisoformat(value) if value[4:5] == "-" else None
    except ValueError:
        time_of = None
    if time_of is None:
        return value
    return time_of if time_of.tzinfo else time_of.replace(tzinfo=UTC)


def _api_minus(order: Any, lag: float) -> Any:
    if not lag:
        return order
    if isinstance(order, str):
        raise SourceError(f"`lag` needs a cursor of times or numbers, not {order!r}", final=True)
    return order - (timedelta(seconds=lag) if isinstance(order, datetime) else lag)


def _api_as(order: Any, like: Any) -> Any:
    """A time or a number, in the form of a cursor."""
    if not isinstance(order, datetime):
        return str(order) if isinstance(like, str) else order
    if len(like) == 10:
        return order.date().isoformat()
    zoned = datetime.fromisoformat(like).tzinfo is not None
    text = (order if zoned else order.replace(tzinfo=None)).isoformat()
    return text.replace("+00:00", "Z") if like.endswith("Z") else text
