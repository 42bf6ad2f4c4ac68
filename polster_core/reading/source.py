"""A parsed Python file, and the small questions that every kind of file is asked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from polster_core.model import Fault, Import, Place

_NEWLINE = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"
_FIRST_PARAGRAPH = re.compile(r"\S.*?(?=\n[ \t]*\n|\Z)", re.DOTALL)


class Source:
    """The tree of one file, and places in it that count characters as editors do."""

    def __init__(self, path: PurePosixPath, data: bytes) -> None:
        """Parse the file, or raise what `ast.parse` raises."""
        self.path = path
        self.data = data
        self.tree = ast.parse(data)
        self._lines = None if data.isascii() else _NEWLINE.split(data.removeprefix(_BOM))

    def place(self, node: ast.AST) -> Place:
        """Return where a node begins, or where the name of a function or class stands."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return Place(self.path, line, self._column(line, column))

    def name_place(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Place:
        """Return where the name of a function or class stands."""
        words = {ast.ClassDef: "class ", ast.AsyncFunctionDef: "async def "}
        column = node.col_offset + len(words.get(type(node), "def "))
        return Place(self.path, node.lineno, self._column(node.lineno, column))

    def _column(self, line: int, offset: int) -> int:
        """Turn the offset in bytes that `ast` gives into a column in characters."""
        if self._lines is None:
            return offset + 1
        return len(self._lines[line - 1][:offset].decode(errors="replace")) + 1

    def imports(self) -> Iterator[Import]:
        """Yield what the module imports at its top level, relative imports with their dots."""
        for node in statements(self.tree.body):
            if isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for name in node.names:
                    yield Import(module, name.name, name.asname or name.name, self.place(name))
            elif isinstance(node, ast.Import):
                for name in node.names:
                    yield Import(name.name, "", name.asname or name.name, self.place(name))


def parse(path: PurePosixPath, data: bytes) -> Source | Fault:
    """Parse a file; a file that Python would refuse becomes a fault at its line."""
    try:
        return Source(path, data)
    except SyntaxError as error:
        place = Place(path, max(error.lineno or 1, 1), max(error.offset or 1, 1))
        return Fault("syntax-error", place, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return Fault("syntax-error", Place(path), str(error) or "too deeply nested to be read")


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those inside `if`, `try` and `with` included."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            if not is_main_guard(node):
                yield from statements((*node.body, *node.orelse))
        elif isinstance(node, ast.Try):
            handled = (statement for handler in node.handlers for statement in handler.body)
            yield from statements((*node.body, *handled, *node.orelse, *node.finalbody))
        elif isinstance(node, ast.With):
            yield from statements(node.body)


def is_main_guard(node: ast.If) -> bool:
    """Whether the statement is `if __name__ == "__main__":`."""
    return any(
        isinstance(part, ast.Name) and part.id == "__name__"
        for part in (getattr(node.test, "left", None), *getattr(node.test, "comparators", ()))
    )


def first_paragraph(docstring: str | None) -> str:
    """Return the first paragraph of a docstring as one line."""
    found = _FIRST_PARAGRAPH.search(docstring or "")
    return " ".join(found[0].split()) if found else ""


def docstring(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the first paragraph of what a module's or function's docstring says."""
    return first_paragraph(ast.get_docstring(node, clean=False))
