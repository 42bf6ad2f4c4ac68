"""A parsed Python file, and the small questions that every kind of file is asked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import chain, takewhile
from pathlib import PurePosixPath

from polster_core.model.facts import Fault, Import, Place

_NEWLINE = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"


_COMPOUND = (ast.If, ast.Try, ast.With)
_Located = ast.stmt | ast.expr | ast.arg | ast.alias


class ParsedFile:
    """The tree of one file, and places in it that count characters as editors do.

    `statements` are those of the module, with those inside `if`, `try` and `with`, but without
    what stands under `if __name__ == "__main__":`.
    """

    def __init__(self, path: PurePosixPath, data: bytes) -> None:
        """Parse the file, or raise what `ast.parse` raises."""
        self.path = path
        self.data = data
        self.tree = ast.parse(data)
        self.statements: list[ast.stmt] = []
        _collect(self.tree.body, self.statements)
        self._lines = None if data.isascii() else _NEWLINE.split(data.removeprefix(_BOM))

    def place(self, node: _Located) -> Place:
        """Return where a node begins, or where the name of a function or class stands."""
        line, offset = node.lineno, node.col_offset
        return Place(
            self.path, line, offset + 1 if self._lines is None else self._column(line, offset)
        )

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return where a node begins and ends, in bytes from the beginning of the file."""
        starts = [0, *(found.end() for found in _NEWLINE.finditer(self.data))]
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        mark = len(_BOM) if self.data.startswith(_BOM) else 0
        return start + mark * (node.lineno == 1), end + mark * (node.end_lineno == 1)

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
        for node in self.statements:
            if isinstance(node, ast.ImportFrom):
                start, module = self.place(node), "." * node.level + (node.module or "")
                for name in node.names:
                    alias = name.asname or name.name
                    yield Import(module, name.name, alias, self.place(name), start)
            elif isinstance(node, ast.Import):
                start = self.place(node)
                for name in node.names:
                    alias = name.asname or name.name
                    yield Import(name.name, "", alias, self.place(name), start)

    def names(self) -> Iterator[str]:
        """Yield what can be imported from the module by name; "*" if that is not written out."""
        for node in self.statements:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield node.name
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                for name in node.names:
                    yield (name.asname or name.name).partition(".")[0]
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def parse(path: PurePosixPath, data: bytes) -> ParsedFile | Fault:
    """Parse a file; a file that Python would refuse becomes a fault at its line."""
    try:
        return ParsedFile(path, data)
    except SyntaxError as error:
        place = Place(path, max(error.lineno or 1, 1), max(error.offset or 1, 1))
        return Fault("syntax-error", place, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return Fault("syntax-error", Place(path), str(error) or "too deeply nested to be read")


def _collect(body: Iterable[ast.stmt], found: list[ast.stmt]) -> None:
    for node in body:
        found.append(node)
        if isinstance(node, _COMPOUND):
            _collect(_inside(node), found)


def _inside(node: ast.If | ast.Try | ast.With) -> Iterator[ast.stmt]:
    if isinstance(node, ast.With):
        return iter(node.body)
    if isinstance(node, ast.If):
        return iter(() if is_main_guard(node) else (*node.body, *node.orelse))
    handled = (statement for handler in node.handlers for statement in handler.body)
    return chain(node.body, handled, node.orelse, node.finalbody)


def is_main_guard(node: ast.If) -> bool:
    """Whether the statement is `if __name__ == "__main__":`."""
    return any(
        isinstance(part, ast.Name) and part.id == "__name__"
        for part in (getattr(node.test, "left", None), *getattr(node.test, "comparators", ()))
    )


def first_paragraph(text: str | None) -> str:
    """Return the first paragraph of a text as one line."""
    lines = takewhile(str.strip, (text or "").strip().splitlines())
    return " ".join(line.strip() for line in lines)


def docstring(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the first paragraph of what a module's or function's docstring says."""
    return first_paragraph(ast.get_docstring(node, clean=False))


def written(node: ast.expr) -> str:
    """Return an expression as text; dotted names, which are most, without `ast.unparse`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{written(node.value)}.{node.attr}"
    return ast.unparse(node)
