"""The imports in a layer's `__init__.py`: which lines import which asset."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from polster_core.edit.brackets import INDENT, WIDTH
from polster_core.edit.outline import Outline, Statement, walk
from polster_core.edit.splice import CannotEditError
from polster_core.model import layout
from polster_core.model.layers import AssetId


@dataclass(frozen=True)
class ImportLine:
    """One `from ... import ...` line."""

    source: Outline
    statement: Statement
    node: ast.ImportFrom

    @property
    def module(self) -> str:
        """The module as it is written, dots included."""
        return "." * self.node.level + (self.node.module or "")

    @property
    def prefix(self) -> str:
        """The module without its last part: `orchestration.assets.silver.`, or `.`."""
        return self.module[: len(self.module) - len(self.last)]

    @property
    def last(self) -> str:
        """The last part of the module: `run_silver_orders`."""
        return self.module.rpartition(".")[2]

    @property
    def is_relative(self) -> bool:
        """Whether it begins with a dot."""
        return self.module.startswith(".")

    @property
    def is_ours(self) -> bool:
        """Whether it sorts among the imports of assets: first party, or relative like they."""
        return self.is_relative or self.module.partition(".")[0] in _first_party()

    @property
    def names(self) -> list[str]:
        """The imported names; a star is one."""
        return [alias.name for alias in self.node.names]

    def belongs_to(self, package: str) -> bool:
        """Whether it imports from a module of the layer."""
        absolute = self.prefix.removeprefix("src.") == f"{package}."
        return (absolute or self.prefix == ".") and self.last.startswith("run_")

    def imports(self, asset: AssetId) -> bool:
        """Whether it imports this asset, from its module or from its package."""
        if self.last == asset.key and self._is_below(asset.layer.package):
            return True
        package = self.module.removeprefix("src.") in {".", asset.layer.package}
        return package and asset.key in self.names

    def _is_below(self, package: str) -> bool:
        """Whether it imports from a module of the layer, or from one in a folder of the layer."""
        absolute = self.prefix.removeprefix("src.").startswith(f"{package}.")
        return absolute or (self.node.level == 1 and self.prefix.startswith("."))

    def line(self, asset: AssetId) -> bytes:
        """Return the import of `asset` in the style of this one, without its newline."""
        same = any(alias.asname == alias.name for alias in self.node.names)
        name = f"{asset.key} as {asset.key}" if same else asset.key
        return import_line(f"{self.prefix}{asset.key}", name, self.source.newline)


def _first_party() -> frozenset[str]:
    return layout.current().top_level | {"src"}


def import_line(module: str, name: str, newline: bytes) -> bytes:
    """Return an import as ruff would write it."""
    one = f"from {module} import {name}".encode()
    if len(one) <= WIDTH:
        return one
    first = f"from {module} import (".encode()
    if len(first) > WIDTH:
        first += b"  # noqa: E501"
    return newline.join([first, INDENT + name.encode() + b",", b")"])


def import_lines(source: Outline) -> Iterator[ImportLine]:
    """Yield the imports that have a line of their own."""
    for statement in source.statements:
        if (found := import_line_of(source, statement)) is not None:
            yield found


def import_line_of(source: Outline, statement: Statement) -> ImportLine | None:
    """Return the import that a statement is; `None` for anything else on its line."""
    node = statement.nodes[0]
    if len(statement.nodes) > 1 or not isinstance(node, ast.ImportFrom):
        return None
    return ImportLine(source, statement, node)


def imports_of(source: Outline, asset: AssetId) -> list[ImportLine]:
    """Return the lines that import the asset.

    Raises CannotEditError where it is imported in some other way.
    """
    if asset.key.encode() not in source.text:
        return []
    found = [one for one in import_lines(source) if one.imports(asset)]
    lines = {one.statement.span for one in found}
    for statement in source.statements:
        if statement.span in lines or asset.key.encode() not in source.code(statement.span):
            continue
        for node in walk(statement):
            if _mentions(source, statement, node, asset):
                raise CannotEditError(
                    f"{asset.key} is imported among other statements",
                    line=node.lineno,
                    hint=f"give its import a line of its own:  {_plain(asset)}",
                )
    return found


def _mentions(source: Outline, statement: Statement, node: ast.AST, asset: AssetId) -> bool:
    if isinstance(node, ast.ImportFrom):
        return ImportLine(source, statement, node).imports(asset)
    return isinstance(node, ast.Import) and any(
        alias.name.removeprefix("src.") == asset.asset_module for alias in node.names
    )


def _plain(asset: AssetId) -> str:
    return f"from {asset.asset_module} import {asset.key}"
