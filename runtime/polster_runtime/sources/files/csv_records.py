"""CSV text as records, with the line that each begins at. Standard library only.

The `csv` module would tell neither an empty field from an empty text in quotes, nor a stray quote
from a quoted field, nor a carriage return in a field from the end of a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from polster_runtime.errors import SourceError

MAX_RECORD_CHARACTERS = 64 * 2**20
"""How long a quoted field may become before its quote is taken for one that is never closed."""


class Record(NamedTuple):
    """One row of a CSV file."""

    line: int
    """The line that it begins at, the first being 1."""
    next_line: int
    """The line after it."""
    fields: list[str | None]
    """An empty field is None, an empty text in quotes is an empty text."""


def read_records(
    lines: Iterable[str], *, separator: str, quote: str, name: str, first_line: int = 1
) -> Iterator[Record]:
    """Yield the records of lines that have their ends; blank lines are none.

    `first_line` is the number of the first of them.

    Raises SourceError, which names the line, for a quote that is never closed or has text after it.
    """
    reader = _Reader(lines, separator, quote, name, first_line)
    while (text := reader.next_line()) is not None:
        start = reader.line
        body = _without_end(text)
        if not body:
            continue
        if not quote or quote not in body:
            fields: list[str | None] = [field or None for field in body.split(separator)]
        else:
            fields = reader.fields(text)
        yield Record(start, reader.line + 1, fields)


def _without_end(text: str) -> str:
    if text.endswith("\r\n"):
        return text[:-2]
    return text[:-1] if text.endswith(("\n", "\r")) else text


class _Reader:
    """Takes quoted fields apart, which may go over several lines."""

    def __init__(
        self, lines: Iterable[str], separator: str, quote: str, name: str, first_line: int
    ) -> None:
        self.lines, self.separator, self.quote, self.name = iter(lines), separator, quote, name
        self.line = first_line - 1

    def next_line(self) -> str | None:
        """Return the next line, and count it; None after the last."""
        text = next(self.lines, None)
        self.line += text is not None
        return text

    def fields(self, text: str) -> list[str | None]:
        """Return the fields of a record that begins with a line."""
        fields: list[str | None] = []
        position = 0
        while True:
            if text.startswith(self.quote, position):
                value, text, position = self._quoted(text, position + len(self.quote))
                fields.append(value)
                if not _without_end(text[position:]):
                    return fields
                if not text.startswith(self.separator, position):
                    raise self._error(
                        self.line,
                        f"there is text after a closing quote: {text[position : position + 20]!r}; "
                        "name the separator, if it is another, or read with "
                        'quote="" where quotes are ordinary characters',
                    )
            else:
                body = _without_end(text)
                end = body.find(self.separator, position)
                fields.append(body[position : end if end >= 0 else len(body)] or None)
                if end < 0:
                    return fields
                position = end
            position += len(self.separator)
            if not _without_end(text[position:]):
                return [*fields, None]

    def _quoted(self, text: str, position: int) -> tuple[str, str, int]:
        """Return a field's text, and the line and the position after its closing quote."""
        start, pieces, size = self.line, list[str](), 0
        while True:
            end = text.find(self.quote, position)
            if end >= 0:
                pieces.append(text[position:end])
                position = end + 1
                if not text.startswith(self.quote, position):
                    return "".join(pieces), text, position
                pieces.append(self.quote)
                position += 1
                continue
            pieces.append(text[position:])
            size += len(pieces[-1])
            following = self.next_line() if size <= MAX_RECORD_CHARACTERS else None
            if following is None:
                raise self._error(
                    start,
                    "a quote is opened here and never closed; "
                    'read with quote="" where quotes are ordinary characters',
                )
            text, position = following, 0

    def _error(self, line: int, problem: str) -> SourceError:
        return SourceError(f"{self.name}, line {line}: {problem}", final=True)
