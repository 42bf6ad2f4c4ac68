"""Imports of the project's own modules that lead nowhere, or to the wrong place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache, partial
from pathlib import Path

from polster_core.model import layout
from polster_core.model.diagnostics import Fix, Problem, Severity, ValidationRule
from polster_core.model.facts import Import
from polster_core.model.layers import AssetId
from polster_core.model.names import did_you_mean
from polster_core.model.pipeline import Asset, Pipeline

_WORD = re.compile(r"\w+")


def import_paths(pipeline: Pipeline) -> Iterator[Problem]:
    """Find imports of modules and names that are not there, and of the wrong asset's function."""
    there = {asset.id.core_module for asset in pipeline.assets if asset.core_file}
    exists = cache(partial(_exists, pipeline.root, there))
    for asset in pipeline.assets:
        for definition in asset.definitions:
            yield from _modules(definition.imports, exists)
            own = {one.module.removeprefix("src.") for one in definition.imports}
            if asset.id.core_module not in own:
                for found in definition.imports:
                    yield from _wrong_asset(pipeline, asset, found)
        if asset.core:
            yield from _modules(asset.core.imports, exists)
            yield from _relative(asset.core.imports)
    for package in pipeline.packages.values():
        yield from _prefixed(package.imports)
    yield from _names(pipeline)


def _exists(root: Path, there: AbstractSet[str], module: str) -> bool:
    if module in there:
        return True
    path = root.joinpath("src", *module.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def _modules(imports: Iterable[Import], exists: Callable[[str], bool]) -> Iterator[Problem]:
    """Check that modules of the project exist, and are imported by the name that they have."""
    yield from _prefixed(imports)
    for found in _statements(imports):
        if found.module.startswith(layout.current().modules) and not exists(found.module):
            yield Problem.at(found.statement, f"there is no module {found.module}")


def _statements(imports: Iterable[Import]) -> Iterable[Import]:
    """Return one import a statement and module, of the project's own modules."""
    starts = (".", "src", *layout.current().top_level)
    ours = (found for found in imports if found.module.startswith(starts))
    return {(found.statement, found.module): found for found in ours}.values()


def _prefixed(imports: Iterable[Import]) -> Iterator[Problem]:
    for found in _statements(imports):
        if found.module.startswith("src."):
            module = found.module.removeprefix("src.")
            yield Problem.at(
                found.statement,
                f"{found.module} is found from the project's folder only, "
                f"and is another copy of {module}",
                hint=f"import it as {module}",
                fix=Fix(
                    path=found.place.path,
                    summary=f"import {module}",
                    edit=partial(_without_prefix, found),
                ),
            )


def _without_prefix(found: Import, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    index = found.statement.line - 1
    new = found.module.removeprefix("src.")
    if index < len(lines):
        lines[index] = lines[index].replace(found.module.encode(), new.encode(), 1)
    return b"".join(lines)


def _relative(imports: Iterable[Import]) -> Iterator[Problem]:
    for found in _statements(imports):
        if found.module.startswith("."):
            core = layout.current().module("core")
            module = ".".join(part for part in (core, found.module.lstrip(".")) if part)
            yield Problem.at(
                found.statement,
                "a relative import fails when the file is run directly",
                severity=Severity.WARNING,
                hint=f"from {module} import {found.name}",
            )


def _wrong_asset(pipeline: Pipeline, asset: Asset, found: Import) -> Iterator[Problem]:
    """Report that the Dagster file of one asset runs the function of another."""
    module = found.module.removeprefix("src.")
    core = layout.current().module("core.")
    other = AssetId.parse(module.removeprefix(core)) if module.startswith(core) else None
    if other is None or other == asset.id or other.key not in pipeline.by_key:
        return
    if found.name == other.layer.function:
        yield Problem.at(
            found.place,
            f"{asset.key} runs {found.name}() of {other}",
            hint=f"from {asset.id.core_module} import {asset.layer.function}",
        )


def _names(pipeline: Pipeline) -> Iterator[Problem]:
    """Find names that are imported from one of the project's modules which does not have them."""
    cores = {asset.id.core_module: asset.core.names for asset in pipeline.assets if asset.core}
    others = cache(partial(_words, pipeline.root))
    for asset in pipeline.assets:
        imports = [one for definition in asset.definitions for one in definition.imports]
        for found in (*imports, *(asset.core.imports if asset.core else ())):
            if found.name in {"", "*"} or not found.module.startswith(layout.current().modules):
                continue
            names = cores.get(found.module) or others(found.module)
            if names and found.name not in names:
                near = did_you_mean(found.name, names)
                message = f"src/{found.module.replace('.', '/')}.py has no {found.name}"
                yield Problem.at(found.place, message, hint=near.removeprefix(". "))


def _words(root: Path, module: str) -> AbstractSet[str]:
    """Return every word of a module of the project; none of packages and of what imports `*`.

    A name that is not even mentioned in a module cannot be imported from it.
    """
    path = root.joinpath("src", *module.split(".")).with_suffix(".py")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return frozenset()
    dynamic = "import *" in text or "__getattr__" in text
    return frozenset() if dynamic else frozenset(_WORD.findall(text))


RULES = (
    ValidationRule(
        name="import-path",
        summary="Imports of the project's own modules lead to what they say.",
        check=import_paths,
    ),
)
