"""The layers' `__init__.py`: Dagster loads what they import, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import pairwise
from pathlib import Path, PurePosixPath

from polster_core.model import layout
from polster_core.model.diagnostics import Fix, Problem, Severity, ValidationRule
from polster_core.model.facts import Dependency, Package, Registration
from polster_core.model.layers import AssetId, module_of, of_folder
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.project.parsing.package_file import export_lists
from polster_core.project.parsing.source import ParsedFile, parse


def unregistered(pipeline: Pipeline) -> Iterator[Problem]:
    """Find assets that no package imports, and those that `__all__` leaves out."""
    broken = {fault.place.path for fault in pipeline.faults}
    for layer, package in pipeline.packages.items():
        if not package.exists or package.path in broken:
            continue
        exported = _exported(package)
        for asset in pipeline.in_layer(layer):
            if asset.definitions and not asset.registrations:
                yield from _unloaded(pipeline, asset, package)
            elif asset.definitions and exported is not None:
                yield from _left_out(asset, package, exported)


def _unloaded(pipeline: Pipeline, asset: Asset, package: Package) -> Iterator[Problem]:
    """Report an asset that Dagster does not load: not one that is defined where it looks."""
    place, function = asset.definitions[0].place, asset.definitions[0].function
    loaded = layout.current().definitions
    imported = (one for each in pipeline.packages.values() for one in each.imports)
    if place.path in {package.path, loaded} or (
        asset.is_function and any(one.name == function for one in imported)
    ):
        return
    if of_folder(place.path) or not asset.is_function:
        message = f"{asset.key} is not imported in {package.path}: Dagster does not load it"
        yield Problem.at(place, message, fix=_register(asset, package))
    elif not re.search(rf"\b{place.path.stem}\b", _text(pipeline.root / loaded)):
        message = f"{asset.key} is not loaded: {loaded} does not mention its module"
        hint = f"build_definitions([bronze, silver, gold, {place.path.stem}])"
        yield Problem.at(place, message, hint=hint)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _exported(package: Package) -> AbstractSet[str] | None:
    """Return what `__all__` lists; `None` if there is none, or it cannot be read."""
    if package.exported is None or package.unread:
        return None
    return {entry.key for entry in package.exported}


def _left_out(asset: Asset, package: Package, exported: AbstractSet[str]) -> Iterator[Problem]:
    here = [one for one in asset.registrations if one.place.path == package.path and one.key != "*"]
    if here and all(one.alias not in exported for one in here):
        yield Problem.at(
            here[0].place,
            f"{asset.key} is imported and not in __all__",
            severity=Severity.WARNING,
            fix=_register(asset, package),
        )


def registered_twice(pipeline: Pipeline) -> Iterator[Problem]:
    """Find assets that are imported twice, and entries that `__all__` has twice."""
    for asset in pipeline.assets:
        for again in asset.registrations[1:]:
            first = asset.registrations[0].place
            yield Problem.at(
                again.place,
                f"{asset.key} is already imported in {first.path}:{first.line}",
                fix=_once(asset.id, again) if again.place.path == first.path else None,
            )
    for package in pipeline.packages.values():
        yield from _exported_twice(package)


def _exported_twice(package: Package) -> Iterator[Problem]:
    seen: set[str] = set()
    for entry in package.exported or ():
        if entry.key in seen:
            yield Problem.at(
                entry.place,
                f"{entry.key} is in __all__ twice",
                severity=Severity.WARNING,
                fix=Fix(
                    path=entry.place.path,
                    summary=f"list {entry.key} once",
                    edit=without_repeats,
                ),
            )
        seen.add(entry.key)


def stale(pipeline: Pipeline) -> Iterator[Problem]:
    """Find imports of assets that are not there, and entries of `__all__` that nothing imports."""
    defined = {
        (str(one.place.path), one.function)
        for asset in pipeline.assets
        for one in asset.definitions
    }
    broken = {module_of(fault.place.path) for fault in pipeline.faults}
    for package in pipeline.packages.values():
        imported = {found.alias for found in package.imports}
        for registration in package.registrations:
            file = f"src/{registration.module.replace('.', '/')}.py"
            if (file, registration.key) not in defined and registration.module not in broken:
                yield from _stale_import(pipeline, registration, file)
        for entry in package.exported or ():
            if entry.id and entry.key not in imported and "*" not in imported:
                yield Problem.at(
                    entry.place,
                    f"{entry.key} is in __all__ and not imported",
                    fix=_unregister(entry.id, entry),
                )


def _stale_import(pipeline: Pipeline, registration: Registration, file: str) -> Iterator[Problem]:
    root, name = pipeline.root, registration.module.rpartition(".")[2]
    if (root / file).with_suffix("").is_dir():
        return
    if not (root / file).is_file():
        asset = AssetId.parse(name)
        if moved := _moved(pipeline, registration):
            yield Problem.at(
                registration.place,
                f"{file} is {moved} now: Dagster cannot load the project",
                fix=_follow(registration, moved),
            )
            return
        yield Problem.at(
            registration.place,
            f"{file} does not exist: Dagster cannot load the project",
            fix=_unregister(asset, registration) if asset else None,
        )
    elif registration.key == "":
        yield Problem.at(
            registration.place,
            f"imports the module {registration.module}, in which Dagster does not look for assets",
            hint=f"from {registration.module} import {name}",
        )
    elif AssetId.parse(registration.key):
        yield Problem.at(registration.place, f"{file} does not define {registration.key}")


def _moved(pipeline: Pipeline, found: Registration) -> PurePosixPath | None:
    """Return where the asset of a missing file is: in a folder below that of its layer."""
    for asset in pipeline.assets:
        for one in asset.definitions:
            is_below = one.place.path.is_relative_to(found.place.path.parent)
            if one.function == found.key and is_below:
                return one.place.path
    return None


def _follow(found: Registration, moved: PurePosixPath) -> Fix:
    """Import the asset from the folder that its file is in now."""
    name, path = found.module.rpartition(".")[2], found.place.path

    def edit(data: bytes) -> bytes:
        return _from_below(data, name, moved.relative_to(path.parent))

    return Fix(path=path, summary=f"import {found.key} from {moved}", edit=edit)


def _from_below(data: bytes, name: str, file: PurePosixPath) -> bytes:
    """Let an import of a module of the layer import a file below it."""
    line = re.compile(rb"\bfrom (\S*\.)" + name.encode() + rb"(?=\s+import\b)")
    below = ".".join(file.with_suffix("").parts).encode()
    return line.sub(lambda match: b"from " + match[1] + below, data)


def _register(asset: Asset, package: Package) -> Fix | None:
    """Add what is missing; only files and functions that are called after the asset allow it."""
    (definition, *_) = asset.definitions
    path, usual = definition.place.path, asset.id.asset_file
    is_below = path.is_relative_to(usual.parent) and path.name == usual.name
    if not is_below or definition.function != asset.id.key:
        return None

    def edit(data: bytes) -> bytes:
        from polster_core.edit import register

        return _from_below(register(data, asset.id), asset.id.key, path.relative_to(usual.parent))

    return Fix(path=package.path, summary=f"register {asset.key}", edit=edit)


def _unregister(asset: AssetId, found: Registration | Dependency) -> Fix:
    def edit(data: bytes) -> bytes:
        from polster_core.edit import unregister

        return unregister(data, asset)

    return Fix(path=found.place.path, summary=f"unregister {asset.key}", edit=edit)


def without_repeats(data: bytes) -> bytes:
    """Take out what `__all__` lists a second time, with the comma before it."""
    source = parse(PurePosixPath("__init__.py"), data)
    if not isinstance(source, ParsedFile):
        return data
    seen: set[str] = set()
    cut: list[tuple[int, int]] = []
    for elements in export_lists(source):
        for before, element in pairwise([None, *elements]):
            if element is not None and str(element.value) in seen and before is not None:
                cut.append((source.span(before)[1], source.span(element)[1]))
            elif element is not None:
                seen.add(str(element.value))
    for start, end in reversed(cut):
        data = data[:start] + data[end:]
    return data


def _once(asset: AssetId, found: Registration | Dependency) -> Fix:
    """Take the asset out and put it in again, which leaves it once."""

    def edit(data: bytes) -> bytes:
        from polster_core.edit import register, unregister

        return register(unregister(data, asset), asset)

    return Fix(path=found.place.path, summary=f"register {asset.key} once", edit=edit)


RULES = (
    ValidationRule(
        name="unregistered",
        summary="The package of each layer imports and exports all its assets.",
        check=unregistered,
    ),
    ValidationRule(
        name="registered-twice", summary="An asset is registered once.", check=registered_twice
    ),
    ValidationRule(
        name="stale-registration",
        summary="A package imports and exports only what is there.",
        check=stale,
    ),
)
