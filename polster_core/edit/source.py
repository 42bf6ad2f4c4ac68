"""A Python file as libcst sees it, with the place of every node in the file's own bytes.

Edits are splices of those bytes: what an edit does not name cannot change, not even in the corners
that libcst itself does not write back as it read them (form feeds, line ends of old Macs).
"""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import libcst as cst  # noqa: TID253 - only commands that edit import this package
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper  # noqa: TID253

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


@dataclass(frozen=True, slots=True)
class Splice:
    """Bytes that take the place of a span; an empty span inserts."""

    span: Span
    new: bytes = b""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the module, with the span of its code, comments around it left out."""

    node: cst.SimpleStatementLine | cst.BaseCompoundStatement
    span: Span

    @property
    def small(self) -> tuple[cst.BaseSmallStatement, ...]:
        """The statements of a simple line; there are several between semicolons."""
        return tuple(self.node.body) if isinstance(self.node, cst.SimpleStatementLine) else ()


class Source:
    """The bytes of a file, its tree, and where in the bytes the nodes are."""

    def __init__(self, data: bytes) -> None:
        """Parse the file. Raises CannotEditError where Python or libcst would refuse it."""
        self._encoding, self._bom = _encoding(data)
        try:
            text = data[len(self._bom) :].decode(self._encoding)
        except UnicodeDecodeError as error:
            raise CannotEditError(f"the file is not {self._encoding}: {error}") from error
        self.text = text.encode()
        # Both are white space to Python and of the length of what they stand for, so that
        # places in what libcst reads are places in `text`.
        self._read = _LONE_CR.sub(b"\n", self.text).replace(b"\f", b" ")
        try:
            self.module = cst.parse_module(self._read.rstrip().decode())
        except cst.ParserSyntaxError as error:
            raise _syntax_error(self.text, error) from error
        except RecursionError as error:
            raise CannotEditError("the file is nested too deeply to be edited") from error
        self._header = b"".join(self._code(line) for line in self.module.header)
        self._codes = [self._code(node) for node in self.module.body]
        # libcst may lose white space behind the last statement, where nothing is edited.
        if not self._read.startswith((self._header + b"".join(self._codes)).rstrip()):
            raise CannotEditError("the file is laid out in a way that cannot be edited safely")

    @property
    def newline(self) -> bytes:
        """How the file ends its lines: like its first line.

        Next to lone carriage returns in a file that has both, only CRLF stays apart.
        """
        found = _NEWLINE.search(self.text)
        if found and _LONE_CR.search(self.text) and b"\n" in self.text:
            return b"\r\n"
        return found[0] if found else b"\n"

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements of the module, in order."""
        return tuple(self._statements())

    def _statements(self) -> Iterator[Statement]:
        offset = len(self._header)
        for node, code in zip(self.module.body, self._codes, strict=True):
            lead = sum(len(self._code(line)) for line in node.leading_lines)
            tail = 0
            if isinstance(node, cst.SimpleStatementLine):
                tail = len(self._code(node.trailing_whitespace))
            # The last line of a file may lack the newline that its node has.
            end = min(offset + len(code), len(self.text))
            stop = offset + len(code) - tail
            yield Statement(node, Span(offset + lead, min(stop, end)))
            offset += len(code)

    def spans(self, statement: Statement) -> Mapping[cst.CSTNode, Span]:
        """Return where the nodes of one statement are. Much cheaper than `all_spans`."""
        module = self.module.with_changes(header=(), body=[statement.node], footer=())
        found = MetadataWrapper(module, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
        shift = statement.span.start - found[statement.node].start
        return {
            node: Span(span.start + shift, span.start + span.length + shift)
            for node, span in found.items()
        }

    @cached_property
    def wrapper(self) -> MetadataWrapper:
        """The tree with metadata; its nodes are those of `module`."""
        return MetadataWrapper(self.module, unsafe_skip_copy=True)

    @cached_property
    def all_spans(self) -> Mapping[cst.CSTNode, Span]:
        """Where every node of the file is."""
        found = self.wrapper.resolve(ByteSpanPositionProvider)
        return {node: Span(span.start, span.start + span.length) for node, span in found.items()}

    def code(self, span: Span) -> bytes:
        """Return the bytes of a span."""
        return self.text[span.start : span.end]

    def line(self, place: int) -> int:
        """Return the number of the line that a place is in, counted from 1."""
        return self._read.count(b"\n", 0, place) + 1

    def line_start(self, place: int) -> int:
        """Return where the line of a place begins."""
        return self._read.rfind(b"\n", 0, place) + 1

    def line_end(self, place: int) -> int:
        """Return where the line of a place ends, its newline included."""
        found = self._read.find(b"\n", place)
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

    def _code(self, node: cst.CSTNode) -> bytes:
        return self.module.code_for_node(node).encode()


def _encoding(data: bytes) -> tuple[str, bytes]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        raise CannotEditError(str(error)) from error
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8", codecs.BOM_UTF8
    return encoding, b""


def _syntax_error(text: bytes, error: cst.ParserSyntaxError) -> CannotEditError:
    """Say what Python says of a file, or what libcst says of one that Python could read."""
    try:
        ast.parse(text)
    except SyntaxError as found:
        return CannotEditError(f"the file cannot be parsed: {found.msg}", line=found.lineno or 1)
    except ValueError as found:
        return CannotEditError(f"the file cannot be parsed: {found}")
    return CannotEditError(f"the file cannot be parsed: {error.message}", line=error.raw_line)
