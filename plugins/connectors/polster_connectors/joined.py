"""`docs/connectors/connectors.py.template`: the connector modules as one file, to copy.

It is made of the very modules that the templates write, so that it cannot be older than they are.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from polster_connectors.shared import PACKAGE

MODULES = (
    "mysql_columns",
    "mysql_session",
    "mysql_window",
    "mysql",
    "api_rows",
    "api_answer",
    "api_client",
    "api_pages",
    "api",
    "sftp_client",
    "sftp_formats",
    "sftp_files",
    "sftp_position",
    "sftp",
)
"""Each behind those that it imports; no two of them have a name of their own in common."""
_OWN = "core.sources"
_WIDTH = 100
_HEAD = '''"""MySQL, web APIs and SFTP for assets written by hand.

Copy this file to src/core/connectors.py, delete what you do not need, and add the packages of the
rest to pyproject.toml: pymysql for MySQL; requests and ijson for web APIs; asyncssh for SFTP, with
fastexcel for workbooks. What each function does is told in docs/connectors/integration.md.
"""
'''


@dataclass(frozen=True)
class _Import:
    """One name of one module; a module itself has no name."""

    module: str
    name: str
    alias: str
    comment: str

    @property
    def section(self) -> int:
        """Return the place of its block: the standard library, other packages, the project."""
        package = self.module.partition(".")[0]
        return 0 if package in sys.stdlib_module_names else 2 if package == "core" else 1


def connectors() -> str:
    """Return the file: all imports at its top, then the modules one behind the other."""
    from polster_core.rendering import render

    texts = [render(PACKAGE, f"templates/sources/{name}.py.jinja", {}) for name in MODULES]
    imports = {found for text in texts for found in _imports(text)}
    bodies = [_body(text) for text in texts]
    # The first body starts with a constant: one empty line before it, as ruff has it.
    head = "\n".join([_HEAD, *_import_lines(imports), "", ""])
    return head + "\n\n\n".join(bodies) + "\n"


def _imports(text: str) -> Iterator[_Import]:
    lines = text.splitlines()
    for node in _parsed(text).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        comment = lines[node.lineno - 1].partition("  #")[2]
        for alias in node.names:
            if isinstance(node, ast.Import):
                yield _Import(alias.name, "", alias.asname or "", comment)
            elif not (node.module or "").startswith(_OWN):
                yield _Import(node.module or "", alias.name, alias.asname or "", comment)


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _body(text: str) -> str:
    """Return a module without its docstring, its imports and the `__all__` behind them."""
    nodes = _parsed(text).body
    end = max(node.end_lineno or 0 for node in nodes if _is_head(node))
    return "\n".join(text.splitlines()[end:]).strip("\n")


def _is_head(node: ast.stmt) -> bool:
    names = [ast.unparse(one) for one in node.targets] if isinstance(node, ast.Assign) else []
    return isinstance(node, ast.Import | ast.ImportFrom) or names == ["__all__"]


def _import_lines(imports: Iterable[_Import]) -> Iterator[str]:
    """Yield them as ruff sorts them: by section, whole modules first, constants before classes."""
    known = list(imports)
    for section in range(3):
        own = [one for one in known if one.section == section]
        plain = sorted((one for one in own if not one.name), key=lambda one: one.module)
        for one in plain:
            alias = f" as {one.alias}" if one.alias else ""
            yield _commented(f"import {one.module}{alias}", one.comment)
        for module in sorted({one.module for one in own if one.name}):
            yield from _from_lines(module, [one for one in own if one.module == module])
        if section < 2:  # noqa: PLR2004 - the last section has nothing behind it
            yield ""


def _from_lines(module: str, found: Sequence[_Import]) -> Iterator[str]:
    comments = {one.comment for one in found} - {""}
    comment = min(comments, default="")
    for one in sorted((one for one in found if one.alias), key=_order):
        yield _commented(f"from {module} import {one.name} as {one.alias}", comment)
        comment = ""  # it is about the module: once is enough
    names = [
        one.name for one in sorted((one for one in found if not one.alias), key=_order) if one.name
    ]
    line = f"from {module} import {', '.join(names)}"
    if names and len(line) <= _WIDTH:
        yield _commented(line, comment)
    elif names:
        yield from (f"from {module} import (", *(f"    {name}," for name in names), ")")


def _order(one: _Import) -> tuple[int, str]:
    kind = 0 if one.name.isupper() and len(one.name) > 1 else 1 if one.name[:1].isupper() else 2
    return kind, one.name


def _commented(line: str, comment: str) -> str:
    return f"{line}  #{comment}" if comment else line
