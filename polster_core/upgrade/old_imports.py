"""Small modules that keep imports from before Polster 0.2 working.

Upgrades never touch assets, and those import `core.runtime` and `core.sources`, which are gone. For
each module that code of the team still imports, a module of a few lines has the same names; it
goes with the first upgrade after nobody imports it any more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePosixPath

from polster_core.rendering.python_source import WIDTH, bracketed
from polster_core.types import NewFile

_PACKAGES: Mapping[str, frozenset[str]] = {
    "core.runtime": frozenset({"run"}),
    "core.sources": frozenset({"SourceError"}),
    "orchestration.runtime": frozenset(),
}
"""The packages that are gone, and what they had besides modules."""
_RUNTIME = "polster_runtime"
_DAGSTER = f"{_RUNTIME}.dagster"
_ALL = "*"
"""Every public name: the module itself is imported."""


@dataclass(frozen=True)
class Runtime:
    """The files of the runtime with all of its parts, as a place to look names up in."""

    files: Mapping[PurePosixPath, bytes]

    @cached_property
    def names(self) -> Mapping[str, list[str]]:
        """The public names of each module."""
        return {
            _module(path): _names(content)
            for path, content in self.files.items()
            if path.suffix == ".py"
        }

    def module_of(self, name: str, old: str) -> str | None:
        """Return the module that has a name which the module `old` used to have."""
        return self._nearest((m for m, names in self.names.items() if name in names), old)

    def module_like(self, old: str) -> str | None:
        """Return the module that has the last name of an old one."""
        last = old.rpartition(".")[2]
        return self._nearest((m for m in self.names if m.rpartition(".")[2] == last), old)

    @staticmethod
    def _nearest(modules: Iterable[str], old: str) -> str | None:
        """Choose one on the same side of Dagster: the package, one of the name, the outermost."""
        is_dagster, last = old.startswith("orchestration."), old.rpartition(".")[2]

        def rank(module: str) -> tuple[bool, bool, bool, int, str]:
            parts = module.split(".")
            is_named = last in parts or last.partition("_")[0] in parts
            elsewhere = module.startswith(_DAGSTER) != is_dagster
            return (elsewhere, module != _RUNTIME, not is_named, len(parts), module)

        return min(modules, key=rank, default=None)


def old_imports(contents: Iterable[bytes]) -> dict[str, set[str]]:
    """Return the names that Python files import from modules that are gone, by module.

    A module that is imported as a whole has the name `*`; what cannot be parsed imports nothing.
    """
    found: dict[str, set[str]] = {}
    for content in contents:
        if b"runtime" not in content and b"core.sources" not in content:
            continue
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError):
            continue
        for module, name in _imported(tree):
            found.setdefault(module, set()).add(name)
    return found


def compatibility_files(
    imported: Mapping[str, Iterable[str]], runtime: Runtime
) -> tuple[list[NewFile], list[str]]:
    """Return the modules that keep those imports working, and what they cannot keep, in words."""
    modules: dict[str, dict[str, set[str]]] = {}
    lost: list[str] = []
    for old, names in sorted(imported.items()):
        modules.setdefault(".".join(old.split(".")[:2]), {})
        places = modules.setdefault(old, {})
        for name in sorted(names):
            home = runtime.module_like(old) if name == _ALL else runtime.module_of(name, old)
            wanted = runtime.names[home] if home and name == _ALL else [name]
            if home is not None and wanted:
                places.setdefault(home, set()).update(wanted)
            else:
                lost.append(old if name == _ALL else f"{name} of {old}")
    kept = {old: places for old, places in modules.items() if places or old in _PACKAGES}
    return [_file(old, places, kept) for old, places in sorted(kept.items())], lost


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield from _imported_from(node.module.removeprefix("src."), alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _is_old(module := alias.name.removeprefix("src.")):
                    yield module, _ALL


def _imported_from(module: str, name: str) -> Iterator[tuple[str, str]]:
    whole = f"{module}.{name}"
    is_module = whole in _PACKAGES or (module in _PACKAGES and name not in _PACKAGES[module])
    if is_module and name != _ALL:
        yield whole, _ALL
    elif _is_old(module):
        yield module, name


def _is_old(module: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in _PACKAGES)


def _file(old: str, places: Mapping[str, Iterable[str]], modules: Iterable[str]) -> NewFile:
    is_package = old in _PACKAGES or any(one.startswith(f"{old}.") for one in modules)
    path = PurePosixPath("src", *old.split("."))
    homes = " and ".join(f"`{home}`" for home in sorted(places)) or f"`{_RUNTIME}`"
    text = [f'"""For code from before Polster 0.2; new code imports {homes}."""\n']
    if places:
        imports = (_import(home, sorted(names)) for home, names in sorted(places.items()))
        exported = sorted({f'"{name}"' for names in places.values() for name in names})
        text += ["\n".join(imports) + "\n", bracketed("__all__ = [", exported, "]") + "\n"]
    return NewFile(
        path=path / "__init__.py" if is_package else path.with_suffix(".py"),
        text="\n".join(text),
        origin="project",
    )


def _import(module: str, names: Sequence[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= WIDTH else bracketed(f"from {module} import (", names, ")")


def _module(path: PurePosixPath) -> str:
    parts = path.with_suffix("").parts
    inside = parts[1:] if parts[0] == "src" else parts
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


@lru_cache(maxsize=512)
def _names(content: bytes) -> list[str]:
    """Return what a module defines, once: parsing the runtime takes longer than all else."""
    return list(dict.fromkeys(_defined(content)))


def _defined(content: bytes) -> Iterator[str]:
    """Yield the public names that a module defines at its top, or says that it has."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            if not node.name.startswith("_"):
                yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found = _listed(node.value) if target.id == "__all__" else [target.id]
                    yield from (name for name in found if not name.startswith("_"))


def _listed(value: ast.expr) -> list[str]:
    items = value.elts if isinstance(value, ast.List | ast.Tuple) else ()
    return [str(one.value) for one in items if isinstance(one, ast.Constant)]


__all__ = ["Runtime", "compatibility_files", "old_imports"]
