"""Files that cannot be read, and files that are not there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from polster_core.model import layout
from polster_core.model.diagnostics import Fix, Problem, Severity, ValidationRule
from polster_core.model.facts import Place
from polster_core.model.layers import AssetId, Layer
from polster_core.model.pipeline import Asset, Pipeline

_PYPROJECT = PurePosixPath("pyproject.toml")
_TOML_PLACE = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")


def syntax_errors(pipeline: Pipeline) -> Iterator[Problem]:
    """Find files that Python (or TOML) would refuse."""
    for fault in pipeline.faults:
        if fault.rule == "syntax-error":
            yield Problem.at(fault.place, fault.message)
    yield from _pyproject(pipeline)


def _pyproject(pipeline: Pipeline) -> Iterator[Problem]:
    try:
        tomllib.loads((pipeline.root / _PYPROJECT).read_bytes().decode())
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.fullmatch(str(error))
        line, column = (int(found["line"]), int(found["column"])) if found else (1, 1)
        message = found["what"] if found else str(error)
        yield Problem.at(Place(_PYPROJECT, line, column), message[:1].lower() + message[1:])
    except UnicodeDecodeError as error:
        yield Problem(path=_PYPROJECT, message=f"is not UTF-8: {error.reason}")
    except OSError as error:
        yield Problem(path=_PYPROJECT, message=f"cannot be read: {error.strerror}")


def unreadable(pipeline: Pipeline) -> Iterator[Problem]:
    """Find what only running the code would tell, so that nothing else here can judge it."""
    for fault in pipeline.faults:
        if fault.rule == "unreadable":
            yield Problem.at(fault.place, fault.message, severity=Severity.WARNING)
    hint = "write it out, so that every tool can see it"
    for asset in pipeline.assets:
        for definition in asset.definitions:
            for unread in definition.unread:
                message = f"{unread.what} of {asset} cannot be read without running the file"
                yield Problem.at(unread.place, message, severity=Severity.WARNING, hint=hint)
    for package in pipeline.packages.values():
        for unread in package.unread:
            message = f"{unread.what} cannot be read without running the file"
            yield Problem.at(unread.place, message, severity=Severity.WARNING, hint=hint)


def missing_files(pipeline: Pipeline) -> Iterator[Problem]:
    """Find assets with only one of their two files, and packages that are not there."""
    for asset in pipeline.assets:
        yield from _missing_files(asset)
    for layer, package in pipeline.packages.items():
        if not package.exists:
            there = pipeline.in_layer(layer)
            keys = [asset.id for asset in there if asset.asset_file == asset.id.asset_file]
            yield Problem(
                path=package.path,
                message=f"is missing: Dagster does not load any {layer} asset",
                fix=Fix(
                    path=package.path,
                    summary=f"create it with the {layer} assets",
                    edit=partial(_package, layer, keys),
                ),
            )
    definitions = layout.current().definitions
    if not (pipeline.root / definitions).is_file():
        yield Problem(path=definitions, message="is missing: Dagster has nothing to load")


def _missing_files(asset: Asset) -> Iterator[Problem]:
    if asset.is_function:
        return
    if asset.core_file is None and asset.asset_file is not None:
        place = asset.definitions[0].place if asset.definitions else Place(asset.asset_file)
        message = f"{asset.id.core_file} is missing: it would have {asset.layer.function}()"
        yield Problem.at(place, message, hint=f"write it, or remove {asset} altogether")
    elif asset.core_file is not None and asset.asset_file is None:
        yield Problem(
            path=asset.core_file,
            message=f"{asset.id.asset_file} is missing: Dagster does not know {asset}",
            hint=f"write it; a module of {layout.current().core} that is no asset needs a name "
            "that does not begin with a layer",
        )


def _package(layer: Layer, assets: list[AssetId], data: bytes) -> bytes:
    from polster_core.edit import register

    if not data:
        data = f'"""The {layer} assets."""\n\n__all__ = []\n'.encode()
    for asset in assets:
        data = register(data, asset)
    return data


RULES = (
    ValidationRule(name="syntax-error", summary="Every file can be parsed.", check=syntax_errors),
    ValidationRule(
        name="unreadable",
        summary="What an asset depends on is written out, not computed.",
        check=unreadable,
    ),
    ValidationRule(
        name="missing-file",
        summary="Every asset has its core file and its Dagster file.",
        check=missing_files,
    ),
)
