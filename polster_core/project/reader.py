"""Read the pipeline of a project from its files; nothing of it is ever imported or run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from polster_core.model import layers, layout
from polster_core.model.facts import (
    Access,
    Core,
    Definition,
    Dependency,
    Fault,
    Form,
    Import,
    Package,
    Parameter,
    Place,
    Registration,
    Unread,
)
from polster_core.model.layers import AssetId, Layer
from polster_core.model.pipeline import Asset, AssetNameError, Pipeline
from polster_core.project.locate import Project, dagster_files
from polster_core.project.parsing import cores, dagster_file, package_file
from polster_core.project.parsing.files import TOO_DEEP, quiet, read_core_file, read_source
from polster_core.project.parsing.source import ParsedFile

_CORE_NAME = re.compile(r"((?:bronze|silver|gold)_\w+)\.py")


def read_pipeline(project: Project, *, core: bool = True) -> Pipeline:
    """Read every asset of a project; a file that cannot be read becomes a fault.

    Without `core`, the core files are listed but not opened, which takes half of the time.
    """
    with quiet():
        return _Reading(project.root).pipeline(core=core)


def read_core(project: Project, asset: AssetId) -> Core | None:
    """Read one core file; `None` if it is missing or cannot be parsed."""
    with quiet():
        found = read_core_file(project.root, asset)
        return found if isinstance(found, Core) else None


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
        self.others: list[Definition] = []
        self.found: dict[str, _Found] = {}

    def pipeline(self, *, core: bool) -> Pipeline:
        """Read the Dagster files, the packages and the core files."""
        names = self._names(layout.current().core)
        found = (_CORE_NAME.fullmatch(name) for name in sorted(names))
        stems = [asset for match in found if match and (asset := AssetId.parse(match[1]))]
        wait = cores.begin(self.root, stems if core else [])
        self._dagster_files()
        packages = {layer: self._package(layer) for layer in Layer}
        known = {found.id for found in self.found.values()}
        for asset in stems:
            if asset not in known and not self._defines(asset):
                self._asset(asset, asset.key)
        self._follow_functions()
        self._register(packages)
        assets = self._finish(set(stems), self._cores(wait()))
        return Pipeline(
            root=self.root,
            assets=tuple(sorted(assets, key=lambda one: (one.layer.rank, one.name, one.key))),
            packages=packages,
            others=tuple(self.others),
            faults=tuple(self.faults),
        )

    def _cores(self, found: cores.Cores) -> dict[AssetId, Core]:
        self.faults.extend(one for one in found.values() if isinstance(one, Fault))
        return {asset: one for asset, one in found.items() if isinstance(one, Core)}

    def open(self, path: PurePosixPath) -> ParsedFile | None:
        """Parse one file, or note why that is impossible."""
        source = read_source(self.root, path)
        if isinstance(source, Fault):
            self.faults.append(source)
            return None
        return source

    def _dagster_files(self) -> None:
        packages = {layer.init_file.parent for layer in Layer}
        for path in dagster_files(self.root):
            if path.parent in packages and path.name == "__init__.py":
                continue  # read as the package of its layer
            self._dagster_file(path)

    def _dagster_file(self, path: PurePosixPath) -> None:
        named = AssetId.parse(path.stem) if path.name.startswith("run_") else None
        if named:
            self._asset(named, named.key).asset_file = path
        if (source := self.open(path)) is not None:
            self._definitions(source, named)

    def _definitions(self, source: ParsedFile, named: AssetId | None = None) -> None:
        try:
            found, faults = dagster_file.definitions(source)
        except RecursionError:
            self.faults.append(Fault("unreadable", Place(source.path), TOO_DEEP))
            return
        if layers.of_folder(source.path):  # elsewhere are assets of any kind
            self.faults.extend(faults)
        for definition in found:
            self._define(definition, source.path, named, alone=len(found) == 1)

    def _defines(self, asset: AssetId) -> bool:
        """Read a core file that no Dagster file runs: whether it is an @asset function itself."""
        source = read_source(self.root, asset.core_file)
        if not isinstance(source, ParsedFile) or b"dagster" not in source.data:
            return False
        found = [one for one in dagster_file.definitions(source)[0] if one.computes]
        own = [one for one in found if AssetId.parse(one.key) == asset]
        for definition in own:
            entry = self._asset(asset, definition.key)
            entry.asset_file = asset.core_file
            entry.definitions.append(definition)
        return bool(own)

    def _define(
        self, definition: Definition, path: PurePosixPath, named: AssetId | None, *, alone: bool
    ) -> None:
        """File a definition under its key, or under its file's name if the key says nothing."""
        ours = definition.key.startswith("run_") or definition.computes
        asset, layer = AssetId.parse(definition.key) if ours else None, layers.of_folder(path)
        if asset is None and named is not None and alone:
            asset = named
        elif asset is None and layer is not None:
            asset = AssetId(layer, definition.key)
        if asset is None:
            self.others.append(definition)
            return
        if named is not None and alone and definition.key != named.key and asset == named:
            self.found.pop(named.key, None)
        entry = self._asset(asset, definition.key)
        entry.asset_file = entry.asset_file or path
        entry.definitions.append(definition)

    def _asset(self, asset: AssetId, key: str) -> _Found:
        return self.found.setdefault(key, _Found(asset, key))

    def _package(self, layer: Layer) -> Package:
        source = self.open(layer.init_file)
        if source is None:
            return Package(layer.init_file, exists=(self.root / layer.init_file).is_file())
        if b"asset" in source.data:
            self._definitions(source)
        return package_file.package(source, layer)

    def _follow_functions(self) -> None:
        """Replace functions and other spellings that `deps` names by the keys of their assets."""
        functions = {
            definition.function: definition.key
            for found in self.found.values()
            for definition in found.definitions
        }
        keys = {found.id: found.key for found in self.found.values()}
        for found in self.found.values():
            found.definitions = [self._with_keys(one, functions, keys) for one in found.definitions]
        self.others = [self._with_keys(one, functions, keys) for one in self.others]

    def _with_keys(
        self, definition: Definition, functions: dict[str, str], keys: dict[AssetId, str]
    ) -> Definition:
        if all(one.key in self.found and one.form is not Form.FUNCTION for one in definition.deps):
            return definition

        def key(one: Dependency) -> str:
            found = functions.get(one.key, one.key) if one.form is Form.FUNCTION else one.key
            asset = None if found in self.found else AssetId.parse(found)
            return keys.get(asset, found) if asset else found

        deps = tuple(
            one if key(one) == one.key else one._replace(key=key(one), written=one.key)
            for one in definition.deps
        )
        return replace(definition, deps=deps)

    def _register(self, packages: dict[Layer, Package]) -> None:
        owners = {
            (layers.module_of(definition.place.path), definition.function): found
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

    def _finish(self, there: set[AssetId], read: dict[AssetId, Core]) -> Iterator[Asset]:
        tests = self._names(layout.current().tests)
        for found in self.found.values():
            asset = found.id
            has_core = asset in there and found.asset_file != asset.core_file
            yield Asset(
                id=asset,
                key=found.key,
                core_file=asset.core_file if has_core else None,
                asset_file=found.asset_file,
                test_file=asset.test_file if f"test_{asset.stem}.py" in tests else None,
                definitions=tuple(_own_file_first(found.definitions, asset)),
                registrations=tuple(found.registrations),
                core=read.get(asset) if has_core else None,
            )

    def _names(self, folder: PurePosixPath) -> frozenset[str]:
        """Return the names of the Python files in a folder; none where there is not a directory."""
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
