"""JSON as a stream of records: a list, an object a line, or one document. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.encoding import find_encoding
from polster_runtime.sources.files.found_files import DataFile, unreadable

MAX_RECORD_CHARACTERS = 512 * 2**20
"""How large one record may be."""
BLOCK_CHARACTERS = 2**20
_SPACE = " \t\r\n"


class _DuplicateKeyError(ValueError):
    """An object with a key twice, of which only one would remain."""


@dataclass
class JsonNotes:
    """What was noticed on the way that tells which reader may read a file again."""

    is_sequence: bool = False
    """Whether records follow each other, and are not the elements of a list."""
    has_constants: bool = False
    """Whether there is NaN, Infinity or -Infinity."""
    is_plain: bool = False
    """Whether Polars reads its lines as they are: an object each, in UTF-8."""
    records: int = 0
    encoding: str = ""


def read_json_records(
    file: DataFile,
    parse_float: Callable[[str], Any],
    *,
    records: str = "",
    notes: JsonNotes | None = None,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records of a file with their numbers, the first being 1.

    A record is an element of a list, an object a line, or a whole document; `records` is the path
    of the list inside of a document, such as data.items. What is no object becomes {"value": …}.
    Raises SourceError, which names the file and the record.
    """
    encoding = find_encoding(file)
    notes = notes or JsonNotes()
    notes.encoding = encoding
    try:
        with file.path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding) as text:
            for number, value in enumerate(
                _values(file, text, parse_float, records, notes), start=1
            ):
                notes.records = number
                yield number, value if isinstance(value, dict) else {"value": value}
    except UnicodeError as error:
        raise SourceError(f"{file.shown} is not {encoding}: {error}", final=True) from None
    except OSError as error:
        raise unreadable(file, error) from None


def json_decoder(parse_float: Callable[[str], Any], notes: JsonNotes) -> json.JSONDecoder:
    """Return what parses JSON, notes NaN and the like, and refuses an object with a key twice."""

    def constant(text: str) -> float:
        notes.has_constants = True
        return float(text)

    return json.JSONDecoder(
        parse_float=parse_float, parse_constant=constant, object_pairs_hook=_object
    )


def _values(
    file: DataFile,
    text: TextIO,
    parse_float: Callable[[str], Any],
    records: str,
    notes: JsonNotes,
) -> Iterator[Any]:
    stream = _Stream(file, text, parse_float, notes)
    return stream.values_at(records.split(".")) if records else stream.values()


class _Stream:
    """Takes one value after the other out of a text that need not fit into memory."""

    def __init__(
        self,
        file: DataFile,
        text: TextIO,
        parse_float: Callable[[str], Any],
        notes: JsonNotes,
    ) -> None:
        self.file, self.text, self.notes = file, text, notes
        self.decode = json_decoder(parse_float, notes).raw_decode
        self.buffer, self.position, self.line, self.number = "", 0, 1, 0
        self.block, self.ended = BLOCK_CHARACTERS, False

    def values(self) -> Iterator[Any]:
        """Yield the elements of a list, or the values that follow each other."""
        if self._next_sign() != "[":
            self.notes.is_sequence = True
            while self._next_sign():
                self.number += 1
                yield self._value()
            return
        yield from self._elements()
        if self._next_sign():
            raise self._error("there is text after the end of the list")

    def values_at(self, path: Sequence[str]) -> Iterator[Any]:
        """Yield the elements of the list at a path of keys, of each document that follows."""
        while True:
            yield from self._inside(path, 0)
            if not self._next_sign():
                return

    def _inside(self, path: Sequence[str], depth: int) -> Iterator[Any]:
        if depth == len(path) and self._next_sign() == "[":
            yield from self._elements()
            return
        found = False
        if depth < len(path) and self._next_sign() == "{":
            for key in self._keys():
                if key == path[depth]:
                    found = True
                    yield from self._inside(path, depth + 1)
                else:
                    self._value()
        if not found:
            raise SourceError(
                f"{self.file.shown} has no list at {'.'.join(path)}; check `records`", final=True
            )

    def _elements(self) -> Iterator[Any]:
        """Yield the elements of the list that begins here."""
        self.position += 1
        if self._next_sign() != "]":
            while True:
                self.number += 1
                yield self._value()
                if (sign := self._next_sign()) == "]":
                    break
                if sign != ",":
                    raise self._error("there is no comma before it" if sign else "the list is cut")
                self.position += 1
        self.position += 1

    def _keys(self) -> Iterator[str]:
        """Yield the keys of the object that begins here; each time its value is to be read then."""
        seen = set[str]()
        self.position += 1
        sign = self._next_sign()
        while sign != "}":
            if seen and sign != ",":
                raise self._error("there is no comma before it" if sign else "the document is cut")
            self.position += bool(seen)
            if self._next_sign() != '"':
                raise self._error("a key is missing")
            key = self._value()
            if key in seen:
                raise self._error(f"the key {key} is there twice")
            seen.add(key)
            if self._next_sign() != ":":
                raise self._error(f"there is no colon after the key {key}")
            self.position += 1
            yield key
            sign = self._next_sign()
        self.position += 1

    def _next_sign(self) -> str:
        """Return the next character that is no space; an empty text at the end."""
        while True:
            while self.position < len(self.buffer):
                sign = self.buffer[self.position]
                if sign not in _SPACE:
                    return sign
                self.position += 1
            if not self._read_more():
                return ""

    def _value(self) -> Any:
        self._next_sign()
        while True:
            try:
                value, end = self.decode(self.buffer, self.position)
            except json.JSONDecodeError as error:
                inside = error.pos - self.position
                if self._read_more():
                    continue
                said = error.msg[:1].lower() + error.msg[1:]
                raise self._error(said, self.position + inside) from None
            except _DuplicateKeyError as error:
                raise self._error(str(error)) from None
            except RecursionError:
                raise self._error("its lists or objects are nested too deeply") from None
            except ValueError:  # from Python 3.11 on, of int()
                raise self._error("a number has more than 4,300 digits") from None
            # A number at the very end may go on in the next block.
            if end < len(self.buffer) or not self._read_more():
                self.position = end
                return value

    def _read_more(self) -> bool:
        """Read another block. False if there is none."""
        if self.ended or len(self.buffer) - self.position > MAX_RECORD_CHARACTERS:
            return False
        self.line += self.buffer.count("\n", 0, self.position)
        held = self.buffer[self.position :]
        # The longer a record is, the more is read at once: or else it is parsed too often.
        more = self.text.read(max(self.block, len(held)))
        self.ended = not more
        self.buffer, self.position = held + more, 0
        return bool(more)

    def _error(self, problem: str, position: int | None = None) -> SourceError:
        at = self.position if position is None else position
        line = self.line + self.buffer.count("\n", 0, at)
        return SourceError(
            f"{self.file.shown}, line {line}, record {max(self.number, 1)}: {problem}", final=True
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _DuplicateKeyError(f"the key {twice} is there twice")
    return found
