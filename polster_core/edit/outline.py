"""The statements of a Python file, found without building libcst's tree of all of it.

Thousands of imports are read in the time in which libcst reads hundreds. Where a statement is to be
edited, libcst reads that statement alone.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import libcst as cst  # noqa: TID253 - only commands that edit import this package

from polster_core.edit.splice import CannotEditError, Span, Text


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the module, or several in one line; comments around it are left out."""

    nodes: tuple[ast.stmt, ...]
    span: Span


class Outline(Text):
    """The bytes of a file and where its statements are."""

    def __init__(self, data: bytes) -> None:
        """Parse the file. Raises CannotEditError where Python would refuse it."""
        super().__init__(data)
        try:
            with _without_pauses():
                self._tree = ast.parse(self.lines)
        except SyntaxError as error:
            line = error.lineno or 1
            raise CannotEditError(f"the file cannot be parsed: {error.msg}", line=line) from error
        except (ValueError, RecursionError) as error:
            raise CannotEditError(f"the file cannot be parsed: {error}") from error

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements of the module, in order."""
        return tuple(self._statements())

    def _statements(self) -> Iterator[Statement]:
        starts = [0]
        for line in self.lines.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        group: list[ast.stmt] = []
        for node in (*self._tree.body, None):
            if group and (node is None or _first_line(node) != group[-1].end_lineno):
                last = group[-1]
                start = starts[_first_line(group[0]) - 1] + group[0].col_offset
                end = starts[(last.end_lineno or 1) - 1] + (last.end_col_offset or 0)
                yield Statement(tuple(group), Span(start, end))
                group = []
            if node is not None:
                group.append(node)

    def read(self, statement: Statement) -> tuple[cst.Module, Mapping[cst.CSTNode, Span]]:
        """Let libcst read one statement; return its tree and where in the file its nodes are."""
        from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

        code = self.code(statement.span).replace(b"\f", b" ")
        with _without_pauses():
            module = cst.parse_module(code.decode())
            if module.code.encode() != code:
                line = self.line(statement.span.start)
                raise CannotEditError("this is laid out in a way that cannot be edited", line=line)
            found = MetadataWrapper(module, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
            shift = statement.span.start
            return module, {
                node: Span(span.start + shift, span.start + span.length + shift)
                for node, span in found.items()
            }


def walk(statement: Statement) -> Iterator[ast.stmt | ast.expr]:
    """Yield everything in a statement that has a place."""
    for node in statement.nodes:
        yield from (one for one in ast.walk(node) if isinstance(one, (ast.stmt, ast.expr)))


def _first_line(node: ast.stmt) -> int:
    """Return the line in which a statement begins, decorators included."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return node.lineno


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Build trees without looking for garbage in them, which is most of the time that it takes."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
