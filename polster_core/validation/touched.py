"""Which lines a fix may change: those of the statement that it is about, imports, `__all__`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from polster_core.model.diagnostics import Problem

_TOP = (ast.Import, ast.ImportFrom)


def allowed_lines(problem: Problem, before: bytes) -> set[int]:
    """Return the lines of a file, from 1, that the fix of a problem may change or remove.

    These are the lines that the fix names; without them, those of the statement at the problem, if
    that is in the same file. The imports and the `__all__` of a Python file are always among them.
    """
    fix = problem.fix
    if fix is None:
        return set()
    first, last = fix.lines or (problem.line, problem.line)
    named = set(range(first, last + 1)) if fix.lines or fix.path == problem.path else set()
    if fix.path.suffix != ".py":
        return named
    try:
        module = ast.parse(before)
    except (SyntaxError, ValueError):
        return named
    if not fix.lines and named:
        named |= {line for one in _at(module, problem.line) for line in _span(one)}
    return named | {line for one in module.body if _is_list_of_names(one) for line in _span(one)}


def first_foreign_line(before: bytes, after: bytes, allowed: Iterable[int]) -> int | None:
    """Return the first line that was changed, removed or added elsewhere; `None` without one.

    Lines may be added beside those that may change, at the top of a file and at its end. Empty
    lines are nobody's.
    """
    mine = set(allowed)
    if not before.endswith(b"\n"):  # a last line that is ended has not changed
        before, after = before + b"\n", after + (b"" if after.endswith(b"\n") else b"\n")
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    top = _end_of_top(before)
    for tag, start, end, _, _ in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        beside = {start, start + 1} & mine or start <= top or start >= len(old)
        if tag == "insert" and not beside and not _is_among_empty(old, start, mine):
            return start + 1
        for line in range(start + 1, end + 1):
            if line not in mine and old[line - 1].strip():
                return line
    return None


def _at(module: ast.Module, line: int) -> Iterator[ast.stmt]:
    """Yield the innermost statement at a line."""
    found = [
        node for node in ast.walk(module) if isinstance(node, ast.stmt) and line in _span(node)
    ]
    yield from found[-1:]


def _span(node: ast.stmt) -> range:
    """Return the lines of a statement; of one with a body, those of its head."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    return range(first, max(first, last) + 1)


def _is_list_of_names(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets)
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return isinstance(node.target, ast.Name) and node.target.id == "__all__"
    return isinstance(node, _TOP)


def _end_of_top(before: bytes) -> int:
    """Return the last line of the docstring and of the imports at the top of a file."""
    try:
        module = ast.parse(before)
    except (SyntaxError, ValueError):
        return 0
    last = 0
    for node in module.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not isinstance(node, _TOP):
            break
        last = node.end_lineno or last
    return last


def _is_among_empty(old: list[bytes], start: int, mine: set[int]) -> bool:
    """Whether only empty lines lie between a place and a line that may change, or the top."""
    above, below = start, start + 1
    while above and not old[above - 1].strip():
        above -= 1
    while below <= len(old) and not old[below - 1].strip():
        below += 1
    return bool({above, below} & mine) or above == 0 or below > len(old)


__all__ = ["allowed_lines", "first_foreign_line"]
