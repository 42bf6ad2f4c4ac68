"""Imports of the project's own modules that lead nowhere, or to the wrong place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

from polster_core.medallion import AssetId
from polster_core.model import Asset, Import, Pipeline
from polster_core.names import did_you_mean
from polster_core.problems import Fix, Problem, Severity, ValidationRule

_OURS = ("core", "orchestration")


def import_paths(pipeline: Pipeline) -> Iterator[Problem]:
    """Find imports of modules and names that are not there, and of the wrong asset's function."""
    exists = cache(partial(_exists, pipeline.root))
    for asset in pipeline.assets:
        for definition in asset.definitions:
            own = {one.module.removeprefix("src.") for one in definition.imports}
            for found in definition.imports:
                yield from _path(found, exists)
                if asset.id.core_module not in own:
                    yield from _wrong_asset(asset, found)
        if asset.core:
            for found in asset.core.imports:
                yield from _relative(found) if found.module[:1] == "." else _path(found, exists)
    yield from _names(pipeline)
    for package in pipeline.packages.values():
        for found in package.imports:
            yield from _prefix(found)


def _exists(root: Path, module: str) -> bool:
    path = root.joinpath("src", *module.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def _path(found: Import, exists: Callable[[str], bool]) -> Iterator[Problem]:
    """Check that a module of the project exists, and is imported by the name that it has."""
    if found.module.startswith("src.") or found.module == "src":
        yield from _prefix(found)
    elif found.module.partition(".")[0] in _OURS and not exists(found.module):
        yield Problem.at(found.place, f"there is no module {found.module}")


def _prefix(found: Import) -> Iterator[Problem]:
    if not found.module.startswith("src."):
        return
    module = found.module.removeprefix("src.")
    yield Problem.at(
        found.place,
        f"{found.module} is found from the project's folder only, and is another copy of {module}",
        hint=f"import it as {module}",
        fix=Fix(
            path=found.place.path,
            summary=f"import {module}",
            edit=lambda data: _without_prefix(data, found),
        ),
    )


def _without_prefix(data: bytes, found: Import) -> bytes:
    lines = data.splitlines(keepends=True)
    index = found.place.line - 1
    while index >= 0 and found.module.encode() not in lines[index]:
        index -= 1  # the place is the imported name's, which may stand below in parentheses
    if index >= 0:
        new = found.module.removeprefix("src.")
        lines[index] = lines[index].replace(found.module.encode(), new.encode(), 1)
    return b"".join(lines)


def _relative(found: Import) -> Iterator[Problem]:
    yield Problem.at(
        found.place,
        "a relative import fails when the file is run directly",
        severity=Severity.WARNING,
        hint=f"from core.{found.module.lstrip('.')} import …".replace("core. ", "core "),
    )


def _wrong_asset(asset: Asset, found: Import) -> Iterator[Problem]:
    """Report that the Dagster file of one asset runs the function of another."""
    module = found.module.removeprefix("src.")
    other = AssetId.parse(module.removeprefix("core.")) if module.startswith("core.") else None
    if other is not None and other != asset.id and found.name == other.layer.function:
        yield Problem.at(
            found.place,
            f"{asset.key} runs {found.name}() of {other}",
            hint=f"from {asset.id.core_module} import {asset.layer.function}",
        )


def _names(pipeline: Pipeline) -> Iterator[Problem]:
    """Find names that are imported from a core file which does not have them."""
    cores = {asset.id.core_module: asset.core for asset in pipeline.assets if asset.core}
    for asset in pipeline.assets:
        imports = [one for definition in asset.definitions for one in definition.imports]
        for found in (*imports, *(asset.core.imports if asset.core else ())):
            core = cores.get(found.module)
            if core and found.name not in {"", "*"} and found.name not in core.names:
                near = did_you_mean(found.name, core.names)
                yield Problem.at(
                    found.place,
                    f"{core.path} has no {found.name}",
                    hint=near.removeprefix(". "),
                )


RULES = (
    ValidationRule(
        name="import-path",
        summary="Imports of the project's own modules lead to what they say.",
        check=import_paths,
    ),
)
