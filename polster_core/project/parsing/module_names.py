"""What the names of a module stand for, as far as its imports and assignments say."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from polster_core.model import layout
from polster_core.model.facts import Import
from polster_core.project.parsing.source import ParsedFile

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class ModuleNames:
    """What the names of a module stand for."""

    imports: Mapping[str, Import]
    constants: Mapping[str, ast.expr] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, source: ParsedFile, imports: Iterable[Import], functions: Iterable[Function]
    ) -> ModuleNames:
        """Collect the names of a file: its imports, functions, and constants assigned once."""
        return cls(
            imports={found.alias: found for found in imports},
            constants=_constants(source),
            functions=frozenset(function.name for function in functions),
        )

    def dagster(self, node: ast.expr) -> str:
        """Return what Dagster calls the thing that an expression names: `dg.asset` is "asset"."""
        if isinstance(node, ast.Name):
            found = self.imports.get(node.id)
            return found.name if found and found.module.partition(".")[0] == "dagster" else ""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = self.imports.get(node.value.id)
            return node.attr if found and not found.name and found.module == "dagster" else ""
        return ""

    def is_asset(self, name: str) -> bool:
        """Whether a name is that of an asset's function, here or in another asset's file."""
        found = self.imports.get(name)
        return name in self.functions if found is None else _is_local(found.module)

    def original(self, name: str) -> str:
        """Return the name that a function has where it is defined."""
        return self.imports[name].name or name if name in self.imports else name


def _is_local(module: str) -> bool:
    assets = layout.current().module("orchestration.assets")
    return module.startswith((".", assets, f"src.{assets}"))


def functions_of(source: ParsedFile) -> list[Function]:
    """Return the functions at the top level of a file."""
    return [
        node
        for node in source.statements
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def _constants(source: ParsedFile) -> dict[str, ast.expr]:
    """Return the names that are assigned once, with their values."""
    constants: dict[str, ast.expr] = {}
    seen: set[str] = set()
    for node in source.statements:
        for name, value in _assigned(node):
            if name in seen or value is None:
                constants.pop(name, None)
            else:
                constants[name] = value
            seen.add(name)
    return constants


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names that a statement binds, and the value of those whose value is written."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, None
