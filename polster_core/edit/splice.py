"""The bytes of a Python file, and edits of them.

Edits are splices: what an edit does not name cannot change, not even in the corners that libcst
itself does not write back as it read them (form feeds, line ends of old Macs).
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from polster_core.errors import PolsterError

_NEWLINE = re.compile(rb"\r\n|\r|\n")
_LONE_CR = re.compile(rb"\r(?!\n)")
_COMMENT_LINE = re.compile(rb"[ \t\f]*#")


class CannotEditError(PolsterError):
    """A file is written in a way that cannot be edited safely; `line` counts from 1."""

    def __init__(self, reason: str, *, line: int = 1, hint: str | None = None) -> None:
        """Keep the line apart: whoever knows the file's name puts it before the reason."""
        super().__init__(reason, hint=hint)
        self.line = line

    def at(self, path: object) -> PolsterError:
        """Return the error as the user sees it: `path:line: reason`."""
        return PolsterError(f"{path}:{self.line}: {self.reason}", hint=self.hint)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file's bytes."""

    start: int
    end: int

    @property
    def is_empty(self) -> bool:
        """Whether it is only a place."""
        return self.start == self.end


def at(place: int) -> Span:
    """Return the empty span at a place, where something is inserted."""
    return Span(place, place)


def word(name: str) -> re.Pattern[bytes]:
    """Return a pattern that finds a name, and no longer one that contains it."""
    return re.compile(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)")


@dataclass(frozen=True, slots=True)
class Splice:
    """Bytes that take the place of a span; an empty span inserts."""

    span: Span
    new: bytes = b""


class Text:
    """The bytes of a file in UTF-8, whatever its own encoding is."""

    def __init__(self, data: bytes) -> None:
        """Decode the file. Raises CannotEditError where that fails."""
        self._encoding, self._bom = _encoding(data)
        try:
            text = data[len(self._bom) :].decode(self._encoding)
        except UnicodeDecodeError as error:
            raise CannotEditError(f"the file is not {self._encoding}: {error}") from error
        self.text = text.encode()
        # A lone carriage return ends a line, too; so places in `lines` are places in `text`.
        self.lines = _LONE_CR.sub(b"\n", self.text)

    @property
    def newline(self) -> bytes:
        """How the file ends its lines: like its first line.

        Next to lone carriage returns in a file that has both, only CRLF stays apart.
        """
        found = _NEWLINE.search(self.text)
        if found and _LONE_CR.search(self.text) and b"\n" in self.text:
            return b"\r\n"
        return found[0] if found else b"\n"

    def code(self, span: Span) -> bytes:
        """Return the bytes of a span."""
        return self.text[span.start : span.end]

    def line(self, place: int) -> int:
        """Return the number of the line that a place is in, counted from 1."""
        return self.lines.count(b"\n", 0, place) + 1

    def line_start(self, place: int) -> int:
        """Return where the line of a place begins."""
        return self.lines.rfind(b"\n", 0, place) + 1

    def line_end(self, place: int) -> int:
        """Return where the line of a place ends, its newline included."""
        found = self.lines.find(b"\n", place)
        return len(self.text) if found < 0 else found + 1

    def is_blank(self, span: Span) -> bool:
        """Whether there is nothing but white space in a span."""
        return not self.code(span).strip()

    def above_comments(self, place: int, floor: int) -> int:
        """Return where the comment lines directly above the line of a place begin.

        Nothing before `floor` counts, such as lines of a docstring that look like comments.
        """
        start = self.line_start(place)
        while start > floor:
            above = self.line_start(start - 1)
            if above < floor or not _COMMENT_LINE.match(self.text, above):
                break
            start = above
        return start

    def replaced(self, splices: Iterable[Splice]) -> bytes:
        """Return the file with splices made, in its own encoding, its byte order mark kept."""
        return self._bom + self.spliced(splices).decode().encode(self._encoding)

    def spliced(self, splices: Iterable[Splice]) -> bytes:
        """Return `text` with splices made."""
        parts, done = [], 0
        for splice in sorted(splices, key=lambda splice: (splice.span.start, splice.span.end)):
            if splice.span.start < done:
                raise CannotEditError("two edits overlap", line=self.line(splice.span.start))
            parts += [self.text[done : splice.span.start], splice.new]
            done = splice.span.end
        parts.append(self.text[done:])
        return b"".join(parts)


def _encoding(data: bytes) -> tuple[str, bytes]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        raise CannotEditError(str(error)) from error
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8", codecs.BOM_UTF8
    return encoding, b""
