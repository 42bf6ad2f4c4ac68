"""What the `__init__.py` of a layer registers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from polster_core.medallion import Layer
from polster_core.model import Dependency, Package, Registration, Unread
from polster_core.reading.source import Source

_PACKAGES = frozenset(layer.package for layer in Layer)


def package(source: Source, layer: Layer) -> Package:
    """Return what the layer's package imports and exports."""
    registrations = tuple(_registrations(source, layer))
    exported, unread = _exported(source)
    return Package(
        source.path,
        exists=True,
        registrations=registrations,
        exported=exported,
        unread=unread,
        imports=tuple(source.imports()),
    )


def _registrations(source: Source, layer: Layer) -> Iterator[Registration]:
    """Yield the imports of assets, of other layers' too, their modules written in full."""
    for found in source.imports():
        module = found.module.removeprefix("src.")
        if module.startswith("."):
            module = _absolute(module, layer)
        if module in _PACKAGES and found.name:
            yield Registration("", f"{module}.{found.name}", found.place)
        elif module.rpartition(".")[0] in _PACKAGES:
            yield Registration(found.name, module, found.place)


def _absolute(module: str, layer: Layer) -> str:
    name = module.lstrip(".")
    dots = len(module) - len(name)
    parts = layer.package.split(".")
    return ".".join((*parts[: len(parts) - dots + 1], *([name] if name else ())))


def _exported(source: Source) -> tuple[tuple[Dependency, ...] | None, tuple[Unread, ...]]:
    """Return the entries of `__all__`, `None` without one, and what is not written out."""
    exported: tuple[Dependency, ...] | None = None
    unread: list[Unread] = []
    for node in source.statements:
        value = _all_value(node)
        if value is None:
            continue
        if not isinstance(value, (ast.List, ast.Tuple, ast.Set)):
            unread.append(Unread("__all__", source.place(value)))
            continue
        exported = (exported or ()) + tuple(
            Dependency(element.value, source.place(element))
            for element in value.elts
            if isinstance(element, ast.Constant) and isinstance(element.value, str)
        )
    return exported, tuple(unread)


def _all_value(node: ast.stmt) -> ast.expr | None:
    if isinstance(node, ast.Assign):
        named = any(isinstance(part, ast.Name) and part.id == "__all__" for part in node.targets)
        return node.value if named else None
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        named = isinstance(node.target, ast.Name) and node.target.id == "__all__"
        return node.value if named else None
    return None
