"""A Python file as libcst sees it, with the place of every node in the file's own bytes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cached_property

import libcst as cst  # noqa: TID253 - only commands that edit import this package
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper  # noqa: TID253

from polster_core.edit.splice import CannotEditError, Span, Text


class CstFile(Text):
    """The bytes of a file, its tree, and where in the bytes the nodes are."""

    def __init__(self, data: bytes) -> None:
        """Parse the file. Raises CannotEditError where Python or libcst would refuse it."""
        super().__init__(data)
        # White space to Python, and of the length of what it stands for.
        plain = self.lines.replace(b"\f", b" ")
        try:
            self.module = cst.parse_module(plain.rstrip().decode())
        except cst.ParserSyntaxError as error:
            raise _syntax_error(self.text, error) from error
        except RecursionError as error:
            raise CannotEditError("the file is nested too deeply to be edited") from error
        # libcst may lose white space behind the last statement, where nothing is edited.
        code = self.module.with_changes(footer=()).code.encode().rstrip()
        if not plain.startswith(code):
            raise CannotEditError("the file is laid out in a way that cannot be edited safely")

    @cached_property
    def wrapper(self) -> MetadataWrapper:
        """The tree with metadata; its nodes are those of `module`."""
        return MetadataWrapper(self.module, unsafe_skip_copy=True)

    @cached_property
    def all_spans(self) -> Mapping[cst.CSTNode, Span]:
        """Where every node of the file is."""
        found = self.wrapper.resolve(ByteSpanPositionProvider)
        return {node: Span(span.start, span.start + span.length) for node, span in found.items()}


def _syntax_error(text: bytes, error: cst.ParserSyntaxError) -> CannotEditError:
    """Say what Python says of a file, or what libcst says of one that Python could read."""
    try:
        ast.parse(text)
    except SyntaxError as found:
        return CannotEditError(f"the file cannot be parsed: {found.msg}", line=found.lineno or 1)
    except ValueError as found:
        return CannotEditError(f"the file cannot be parsed: {found}")
    return CannotEditError(f"the file cannot be parsed: {error.message}", line=error.raw_line)
