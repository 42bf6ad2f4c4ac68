"""Names, and what follows from them: keys, files, groups; and names that are used twice."""

from __future__ import annotations

from collections.abc import Iterator

from polster_core.model.diagnostics import Problem, Severity, ValidationRule
from polster_core.model.facts import Definition, Place
from polster_core.model.layers import AssetId
from polster_core.model.names import asset_name_problem, suggest_asset_name
from polster_core.model.pipeline import Asset, Pipeline


def names(pipeline: Pipeline) -> Iterator[Problem]:
    """Find keys that are not `run_LAYER_NAME`, bad names, and files that are called otherwise."""
    for definition in pipeline.strays:
        yield Problem.at(definition.place, f"{definition.key} must be called run_LAYER_NAME")
    for asset in pipeline.assets:
        yield from _key(asset) if _bad_key(asset) else _name(asset)


def _bad_key(asset: Asset) -> bool:
    return asset.key != asset.id.key


def _key(asset: Asset) -> Iterator[Problem]:
    for definition in asset.definitions:
        wanted = AssetId(asset.layer, suggest_asset_name(asset.name)).key
        yield Problem.at(
            definition.place,
            f"the key is {asset.key}, and must be run_LAYER_NAME",
            hint=f"for example  {asset.id.key if _is_good(asset.name) else wanted}",
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
    for definition in asset.definitions:
        if definition.place.path != asset.id.asset_file:
            yield Problem.at(
                definition.place,
                f"{definition.key} belongs in {asset.id.asset_file}",
                hint="move it there, or call it after its file",
            )


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
            if definition.group != asset.layer and not _is_unread(definition):
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
    for asset in pipeline.assets:
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
