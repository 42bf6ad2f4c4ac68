"""The types of records that stand on a line each, found out without parsing every line.

Most lines of a file look alike. From those that were parsed, a regular expression is made that
tells which others have no fields but the known ones, with values of known kinds: these add nothing
to the types. Only what does not match is parsed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from polster_runtime.sources.files.batches import batched
from polster_runtime.sources.files.json_records import JsonNotes, json_decoder
from polster_runtime.sources.shapes import EXACT_INTEGER, Number, Shape, parse_float

_BLOCK_BYTES = 2**20
_LINE_BYTES = 2**26
"""How long a line may be; longer ones are left to the reader of any JSON."""
_FIRST_LINES = 50
"""How many lines are parsed before the others are looked at again."""
_MAX_PATTERN = 50_000
"""How long a regular expression may become: beyond, records have too little in common."""
_SPACE = r"[ \t]*"
# No half of a surrogate pair, and no sign that must be escaped.
_TEXT = (
    r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]|[dD][0-7])'
    r'[0-9a-fA-F]{2}))*"'
)
_INTEGER, _WIDE = r"-?(?:0|[1-9][0-9]{0,14})", r"-?[1-9][0-9]{15,17}"
_SHORT_FLOAT = r"-?(?:0|[1-9][0-9]{0,7})\.[0-9]{1,7}"
"""What a float always keeps: no more than 15 digits."""
_FLOAT = r"-?(?:0|[1-9][0-9]{0,16})\.[0-9]{1,20}"
"""What a float may keep: each is compared with what became of it."""
_LONG_FLOATS = r"-?[0-9]+\.[0-9]{8,}|-?[0-9]{9,}\.[0-9]+"
_NOTHING = r"[^\s\S]"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _OtherLinesError(Exception):
    """Lines that are not objects, or have too little in common."""


class LineLayouts:
    """What is known of the lines that were parsed, over all files."""

    def __init__(self, shape: Shape) -> None:
        """Begin with nothing; what is parsed is added to `shape`."""
        self.shape, self.pattern, self.has_long_floats = shape, _NOTHING, False
        self._layout = _Layout()

    def see(self, path: Path, notes: JsonNotes) -> bool:
        """Take all lines of a UTF-8 file into account.

        False if they are not objects, one on each; nothing that was noted counts then.
        """
        notes.is_sequence = notes.is_plain = True
        workers = min(4, os.cpu_count() or 1)
        try:
            with ThreadPoolExecutor(workers) as pool:
                for some in batched(_blocks(path), 4 * workers):
                    if self.pattern == _NOTHING:
                        self._parse(_lines(some[0])[:_FIRST_LINES], JsonNotes())
                    for block, is_known in zip(some, pool.map(self._is_known, some), strict=True):
                        if is_known:
                            notes.records += block.count(b"\n") + (not block.endswith(b"\n"))
                        else:
                            self._see_lines(_lines(block), notes)
        except (_OtherLinesError, PolarsError, RecursionError, ValueError):
            return False
        return True

    def _is_known(self, block: bytes) -> bool:
        return bool(self._known(pl.Series([block]).cast(pl.String)).item())

    def _known(self, texts: pl.Series) -> pl.Series:
        """Whether the lines of each text are like those that were parsed."""
        known = texts.str.contains(self.pattern)
        if not self.has_long_floats:
            return known
        written = pl.element().str.strip_chars_end("0")
        kept = pl.element().cast(pl.Float64).cast(pl.String).str.strip_chars_end("0")
        return known & texts.str.extract_all(_LONG_FLOATS).list.eval(written == kept).list.all()

    def _see_lines(self, lines: pl.Series, notes: JsonNotes) -> None:
        count, before = _FIRST_LINES, _NOTHING
        while len(lines):
            if self.pattern != before:
                known = self._known(lines)
                notes.records += int(known.sum())
                lines, before = lines.filter(~known), self.pattern
            self._parse(lines[:count], notes)
            lines, count = lines[count:], 2 * count

    def _parse(self, lines: pl.Series, notes: JsonNotes) -> None:
        """Parse lines, and let the regular expression match others that are like them."""
        decode = json_decoder(self._float, notes).decode
        changed, had_long_floats = False, self.has_long_floats
        for line in lines:
            record = decode(line)
            if not isinstance(record, dict):
                raise _OtherLinesError
            self.shape.see(record)
            changed = self._layout.see(record) or changed
            notes.records += 1
            notes.is_plain = notes.is_plain and not _SURROGATE.search(line)
        if changed or had_long_floats != self.has_long_floats:
            record = self._layout.pattern(_FLOAT if self.has_long_floats else _SHORT_FLOAT)
            self.pattern = rf"\A(?:{_SPACE}{record}{_SPACE}\r?(?:\n|\z))*\z"

    def _float(self, text: str) -> float | Number:
        value = parse_float(text)
        if type(value) is float and not self.has_long_floats:
            self.has_long_floats = bool(re.fullmatch(_LONG_FLOATS, text))
        return value


class _Layout:
    """The kinds of a value, as they are written."""

    __slots__ = ("element", "fields", "orders", "scalars")

    def __init__(self) -> None:
        self.scalars: set[str] = set()
        self.element: _Layout | None = None
        self.fields: dict[str, _Layout] = {}
        self.orders: list[list[str]] = []
        """The orders in which objects have their fields, of which any may be missing."""

    def see(self, value: Any) -> bool:
        """Take a value into account; whether it has anything new."""
        if isinstance(value, dict):
            changed = self._see_order(list(value))
            for name, inner in value.items():
                changed = self.fields.setdefault(name, _Layout()).see(inner) or changed
            return changed
        if isinstance(value, list):
            changed = self.element is None
            self.element = self.element or _Layout()
            for inner in value:
                changed = self.element.see(inner) or changed
            return changed
        scalar = _scalar(value)
        changed = bool(scalar) and scalar not in self.scalars
        if changed:
            self.scalars.add(scalar)
        return changed

    def _see_order(self, names: list[str]) -> bool:
        for number, order in enumerate(self.orders):
            if (both := _merged(order, names)) is not None:
                self.orders[number] = both
                return both != order
        self.orders.append(names)
        return True

    def pattern(self, number: str) -> str:
        """Return a regular expression of such values; `number` is that of a float.

        Raises _OtherLinesError where it would become too long: it doubles with each level of lists.
        """
        found = [number if scalar == _FLOAT else scalar for scalar in sorted(self.scalars)]
        if self.element:
            inner = self.element.pattern(number)
            found.append(
                rf"\[{_SPACE}(?:{inner}(?:{_SPACE},{_SPACE}{inner})*{_SPACE})?\]"
                if self.element.is_known
                else rf"\[{_SPACE}\]"
            )
        if self.orders:
            fields = {name: one.pattern(number) for name, one in self.fields.items()}
            for order in self.orders:
                # Where a comma is missing, or is one too many, Polars refuses the line.
                members = (
                    f"(?:{_name(name)}{_SPACE}:{_SPACE}{fields[name]}{_SPACE},?{_SPACE})?"
                    for name in order
                    if self.fields[name].is_known
                )
                found.append(rf"\{{{_SPACE}{''.join(members)}\}}")
        if sum(map(len, found)) > _MAX_PATTERN:
            raise _OtherLinesError
        return f"(?:{'|'.join(found)})"

    @property
    def is_known(self) -> bool:
        """Whether there is any value that lines may be compared with."""
        return bool(self.scalars or self.element or self.orders)


def _scalar(value: Any) -> str:
    """Return what matches values of the same kind; nothing where each must be looked at."""
    if isinstance(value, str):
        return _TEXT
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true|false"
    if isinstance(value, int):
        if abs(value) < 10**15:
            return _INTEGER
        return _WIDE if EXACT_INTEGER < abs(value) < 10**18 else ""
    return _FLOAT if type(value) is float else ""


def _merged(order: list[str], names: list[str]) -> list[str] | None:
    """Return an order that has the names of two; None if they contradict each other."""
    known, both, position = set(order), list[str](), 0
    for name in names:
        if name in known:
            try:
                end = order.index(name, position) + 1
            except ValueError:
                return None
            both += order[position:end]
            position = end
        else:
            both.append(name)
    return both + order[position:]


def _name(name: str) -> str:
    """Return what matches a key, with letters beyond ASCII as they are, or escaped."""
    forms = {re.escape(json.dumps(name, ensure_ascii=is_ascii)) for is_ascii in (True, False)}
    return f"(?:{'|'.join(sorted(forms))})"


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield a file in blocks of whole lines."""
    with path.open("rb") as data:
        while block := data.read(_BLOCK_BYTES):
            block += data.readline(_LINE_BYTES)
            if len(block) >= _LINE_BYTES and not block.endswith(b"\n"):
                raise _OtherLinesError
            yield block


def _lines(block: bytes) -> pl.Series:
    """Return the lines of a block that are not blank."""
    lines = pl.Series([block]).cast(pl.String).str.split("\n").explode()
    return lines.filter(lines.str.contains(r"[^ \t\r]"))
