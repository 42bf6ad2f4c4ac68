"""Names, and what follows from them: keys, files, groups; and names that are used twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from polster_core.model.diagnostics import Problem, Severity, ValidationRule
from polster_core.model.facts import Definition, Place
from polster_core.model.layers import AssetId, of_folder
from polster_core.model.names import asset_name_problem, suggest_asset_name
from polster_core.model.pipeline import Asset, Pipeline


def names(pipeline: Pipeline) -> Iterator[Problem]:
    """Find keys that are not `run_LAYER_NAME`, bad names, and files that are called otherwise."""
    for asset in pipeline.assets:
        yield from _key(asset) if _bad_key(asset) else _name(asset)


def _bad_key(asset: Asset) -> bool:
    return asset.key != asset.id.key and not (asset.is_function and asset.key == asset.id.stem)


def _key(asset: Asset) -> Iterator[Problem]:
    for definition in asset.definitions:
        wanted = AssetId(asset.layer, suggest_asset_name(asset.name)).key
        yield Problem.at(
            definition.place,
            f"the key is {asset.key}, and must be run_LAYER_NAME",
            hint=f"for example  {asset.id.key if _is_good(asset.name) else wanted}; an asset of "
            "no layer belongs in a module outside the folders of the layers",
        )


def _name(asset: Asset) -> Iterator[Problem]:
    problem = asset_name_problem(asset.name)
    if problem:
        better = AssetId(asset.layer, suggest_asset_name(asset.name))
        yield Problem.at(
            _place(asset),
            f"{asset.name} cannot be an asset's name: {problem}",
            hint=f"for example  polster rename-asset {asset} {better.name}",
        )
    for definition in () if asset.is_function else asset.definitions:
        if not _is_at_home(asset, definition.place.path):
            yield Problem.at(
                definition.place,
                f"{definition.key} belongs in {asset.id.asset_file}",
                hint="move it there, or call it after its file",
            )


def _is_at_home(asset: Asset, path: PurePosixPath) -> bool:
    """Whether a file has the asset's name, in the folder of its layer or below it."""
    return path.name == asset.id.asset_file.name and of_folder(path) is asset.layer


def _is_good(name: str) -> bool:
    return asset_name_problem(name) is None


def _place(asset: Asset) -> Place:
    if asset.definitions:
        return asset.definitions[0].place
    path = asset.core_file or asset.asset_file
    return (
        asset.core.place if asset.core and asset.core.place else Place(path or asset.id.core_file)
    )


def groups(pipeline: Pipeline) -> Iterator[Problem]:
    """Find assets that Dagster's UI would show in another group than their layer."""
    for asset in pipeline.assets:
        for definition in asset.definitions:
            given = definition.computes and definition.group is None  # the runtime sets it
            if definition.group != asset.layer and not _is_unread(definition) and not given:
                said = f"is {definition.group}" if definition.group else "is not set"
                yield Problem.at(
                    definition.place,
                    f"the group of {asset} {said}",
                    severity=Severity.WARNING,
                    hint=f'group_name="{asset.layer}"',
                )


def _is_unread(definition: Definition) -> bool:
    return any(unread.what.startswith("arguments") for unread in definition.unread)


def duplicates(pipeline: Pipeline) -> Iterator[Problem]:
    """Find keys that are defined twice, and functions that are."""
    first_of: dict[AssetId, Asset] = {}
    for asset in pipeline.assets:
        other = first_of.setdefault(asset.id, asset)
        if other is not asset and other.definitions and not _bad_key(asset):
            where = other.definitions[0].place
            message = f"{asset.key} and {other.key} in {where} are the same asset"
            yield Problem.at(_place(asset), message, hint="give one of them another name")
        for again in asset.definitions[1:]:
            first = asset.definitions[0].place
            yield Problem.at(again.place, f"{asset.key} is already defined in {first}")
        if asset.core and asset.core.duplicate and asset.core.place:
            yield Problem.at(
                asset.core.duplicate,
                f"{asset.core.function}() is already defined in line {asset.core.place.line}",
            )


RULES = (
    ValidationRule(
        name="asset-name",
        summary="Keys are run_LAYER_NAME, names are snake_case, files are called after them.",
        check=names,
    ),
    ValidationRule(
        name="group", summary="The Dagster group of an asset is its layer.", check=groups
    ),
    ValidationRule(name="duplicate-asset", summary="An asset is defined once.", check=duplicates),
)
