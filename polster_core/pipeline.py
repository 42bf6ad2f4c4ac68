"""Read the pipeline of a project from its files; nothing of it is ever imported or run."""

from __future__ import annotations

import gc
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from polster_core import medallion
from polster_core.medallion import AssetId, Layer
from polster_core.model import (
    Access,
    Asset,
    AssetNameError,
    Core,
    Definition,
    Dependency,
    Fault,
    Form,
    Import,
    Package,
    Parameter,
    Pipeline,
    Place,
    Registration,
    Unread,
)
from polster_core.project import Project
from polster_core.reading import core_file, dagster_file, package_file
from polster_core.reading.source import Source, parse

_CORE_NAME = re.compile(r"((?:bronze|silver|gold)_\w+)\.py")


def read_pipeline(project: Project, *, core: bool = True) -> Pipeline:
    """Read every asset of a project; a file that cannot be read becomes a fault.

    Without `core`, the core files are listed but not opened, which takes a third of the time.
    """
    with _quiet():
        return _Reading(project.root).pipeline(core=core)


def read_core(project: Project, asset: AssetId) -> Core | None:
    """Read one core file; `None` if it is missing or cannot be parsed."""
    with _quiet():
        source = _Reading(project.root).open(asset.core_file)
        return core_file.core(source, asset) if source else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Parse without warnings about the user's code, and without pauses for tree after tree.

    Syntax trees hold no cycles: collecting them is half of the time that it takes to parse.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@dataclass
class _Found:
    """One asset while its files are being collected."""

    id: AssetId
    key: str
    asset_file: PurePosixPath | None = None
    definitions: list[Definition] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)


class _Reading:
    """One pass over a project's files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[Fault] = []
        self.strays: list[Definition] = []
        self.found: dict[str, _Found] = {}

    def pipeline(self, *, core: bool) -> Pipeline:
        """Read the Dagster files, then the packages, then the core files."""
        self._dagster_files()
        packages = {layer: self._package(layer) for layer in Layer}
        cores = self._names(medallion.CORE)
        known = {found.id for found in self.found.values()}
        for name in sorted(cores):
            match = _CORE_NAME.fullmatch(name)
            asset = AssetId.parse(match[1]) if match else None
            if asset is not None and asset not in known:
                self._asset(asset, asset.key)
        self._follow_functions()
        self._register(packages)
        tests = self._names(medallion.TESTS)
        assets = [self._finish(found, cores, tests, core=core) for found in self.found.values()]
        return Pipeline(
            root=self.root,
            assets=tuple(sorted(assets, key=lambda one: (one.layer.rank, one.name, one.key))),
            packages=packages,
            strays=tuple(self.strays),
            faults=tuple(self.faults),
        )

    def open(self, path: PurePosixPath) -> Source | None:
        """Parse one file, or note why that is impossible."""
        try:
            with open(f"{self.root}/{path}", "rb") as file:  # noqa: PTH123 - half of Path's time
                data = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.faults.append(Fault("unreadable", Place(path), error.strerror or str(error)))
            return None
        source = parse(path, data)
        if isinstance(source, Source):
            return source
        self.faults.append(source)
        return None

    def _dagster_files(self) -> None:
        for folder in (medallion.ASSETS, *(medallion.ASSETS / layer for layer in Layer)):
            for name in sorted(self._names(folder)):
                if name != "__init__.py":
                    self._dagster_file(folder / name)

    def _dagster_file(self, path: PurePosixPath) -> None:
        named = AssetId.parse(path.stem) if path.stem.startswith("run_") else None
        if named:
            self._asset(named, named.key).asset_file = path
        if (source := self.open(path)) is None:
            return
        try:
            found, faults = dagster_file.definitions(source)
        except RecursionError:
            self.faults.append(Fault("unreadable", Place(path), "too deeply nested to be read"))
            return
        self.faults.extend(faults)
        for definition in found:
            self._define(definition, path, named, alone=len(found) == 1)

    def _define(
        self, definition: Definition, path: PurePosixPath, named: AssetId | None, *, alone: bool
    ) -> None:
        """File a definition under its key, or under its file's name if the key says nothing."""
        asset = AssetId.parse(definition.key) if definition.key.startswith("run_") else None
        if asset is None and named is not None and alone:
            self.found.pop(named.key, None)
            asset = named
        elif asset is None and path.parent.name in set(Layer):
            asset = AssetId(Layer(path.parent.name), definition.key)
        if asset is None:
            self.strays.append(definition)
            return
        entry = self._asset(asset, definition.key)
        entry.asset_file = entry.asset_file or path
        entry.definitions.append(definition)

    def _asset(self, asset: AssetId, key: str) -> _Found:
        return self.found.setdefault(key, _Found(asset, key))

    def _package(self, layer: Layer) -> Package:
        source = self.open(layer.init_file)
        if source is None:
            return Package(layer.init_file, exists=(self.root / layer.init_file).is_file())
        return package_file.package(source, layer)

    def _follow_functions(self) -> None:
        """Replace the functions that `deps` names by the keys of their assets."""
        keys = {
            definition.function: definition.key
            for found in self.found.values()
            for definition in found.definitions
        }
        for found in self.found.values():
            found.definitions = [_with_keys(one, keys) for one in found.definitions]

    def _register(self, packages: dict[Layer, Package]) -> None:
        owners = {
            (_module(definition.place.path), definition.function): found
            for found in self.found.values()
            for definition in found.definitions
        }
        for package in packages.values():
            for registration in package.registrations:
                if registration.key == "*":
                    for (module, _), found in owners.items():
                        if module == registration.module:
                            found.registrations.append(registration)
                    continue
                owner = owners.get((registration.module, registration.key))
                if owner or (owner := self.found.get(registration.key)):
                    owner.registrations.append(registration)

    def _finish(
        self, found: _Found, cores: frozenset[str], tests: frozenset[str], *, core: bool
    ) -> Asset:
        asset = found.id
        core_path = asset.core_file if f"{asset.stem}.py" in cores else None
        return Asset(
            id=asset,
            key=found.key,
            core_file=core_path,
            asset_file=found.asset_file,
            test_file=asset.test_file if f"test_{asset.stem}.py" in tests else None,
            definitions=tuple(_own_file_first(found.definitions, asset)),
            registrations=tuple(found.registrations),
            core=self._core(asset, core_path) if core and core_path else None,
        )

    def _core(self, asset: AssetId, path: PurePosixPath) -> Core | None:
        source = self.open(path)
        if source is None:
            return None
        try:
            return core_file.core(source, asset)
        except RecursionError:
            place = Place(path)
            self.faults.append(Fault("unreadable", place, "too deeply nested to be read"))
            return None

    def _names(self, folder: PurePosixPath) -> frozenset[str]:
        """Return the names of the Python files in a folder; none where there is no folder."""
        try:
            names = os.listdir(self.root / folder)  # noqa: PTH208 - a path an entry takes longer
            return frozenset(name for name in names if name.endswith(".py"))
        except OSError:
            return frozenset()


def _own_file_first(definitions: list[Definition], asset: AssetId) -> list[Definition]:
    """Sort definitions of one key so that the first is the one that belongs there."""
    if len(definitions) < 2:  # noqa: PLR2004 - as nearly always
        return definitions
    return sorted(definitions, key=lambda one: (one.place.path != asset.asset_file, one.place))


def _with_keys(definition: Definition, keys: dict[str, str]) -> Definition:
    if not any(dependency.form is Form.FUNCTION for dependency in definition.deps):
        return definition
    deps = tuple(
        one._replace(key=keys.get(one.key, one.key)) if one.form is Form.FUNCTION else one
        for one in definition.deps
    )
    return replace(definition, deps=deps)


def _module(path: PurePosixPath) -> str:
    """Return the import name of a file under `src`."""
    return ".".join(path.with_suffix("").parts[1:])


__all__ = [
    "Access",
    "Asset",
    "AssetNameError",
    "Core",
    "Definition",
    "Dependency",
    "Fault",
    "Form",
    "Import",
    "Package",
    "Parameter",
    "Pipeline",
    "Place",
    "Registration",
    "Unread",
    "read_core",
    "read_pipeline",
]
