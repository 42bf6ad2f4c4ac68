"""What the `__init__.py` of a layer registers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from polster_core.model.facts import Dependency, Package, Registration, Unread
from polster_core.model.layers import Layer
from polster_core.project.parsing.source import ParsedFile


def package(source: ParsedFile, layer: Layer) -> Package:
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


def _registrations(source: ParsedFile, layer: Layer) -> Iterator[Registration]:
    """Yield the imports of assets, of other layers' too, their modules written in full."""
    packages = tuple(each.package for each in Layer)
    inside = tuple(f"{package}." for package in packages)
    for found in source.imports():
        module = found.module.removeprefix("src.")
        if module.startswith("."):
            module = _absolute(module, layer)
        if module in packages and found.name:
            yield Registration("", found.alias, f"{module}.{found.name}", found.place)
        elif module.startswith(inside):
            yield Registration(found.name, found.alias, module, found.place)


def _absolute(module: str, layer: Layer) -> str:
    name = module.lstrip(".")
    dots = len(module) - len(name)
    parts = layer.package.split(".")
    return ".".join((*parts[: len(parts) - dots + 1], *([name] if name else ())))


def _exported(source: ParsedFile) -> tuple[tuple[Dependency, ...] | None, tuple[Unread, ...]]:
    """Return the entries of `__all__`, `None` without one, and what is not written out."""
    lists = [value for node in source.statements if (value := _all_value(node)) is not None]
    unread = tuple(Unread("__all__", source.place(one)) for one in lists if not _is_list(one))
    entries = tuple(
        Dependency(str(element.value), source.place(element))
        for elements in export_lists(source)
        for element in elements
    )
    return (entries if lists else None), unread


def export_lists(source: ParsedFile) -> Iterator[list[ast.Constant]]:
    """Yield the texts in each list that is assigned or added to `__all__`."""
    for node in source.statements:
        value = _all_value(node)
        if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
            texts = [element for element in value.elts if isinstance(element, ast.Constant)]
            yield [text for text in texts if isinstance(text.value, str)]


def _is_list(node: ast.expr) -> bool:
    return isinstance(node, (ast.List, ast.Tuple, ast.Set))


def _all_value(node: ast.stmt) -> ast.expr | None:
    if isinstance(node, ast.Assign):
        named = any(isinstance(part, ast.Name) and part.id == "__all__" for part in node.targets)
        return node.value if named else None
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        named = isinstance(node.target, ast.Name) and node.target.id == "__all__"
        return node.value if named else None
    return None
