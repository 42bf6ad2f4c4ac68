"""The three files of an asset: core, Dagster and test."""

from __future__ import annotations

from collections.abc import Iterator

from polster_core.assets.sample_code import sample
from polster_core.model.layers import RESERVED_PARAMETERS, AssetId, Layer
from polster_core.rendering.asset_variables import asset_variables, title
from polster_core.types import AssetContext, NewFile

_FOLDER = "templates/assets"


def parameter(dependency: AssetId) -> str:
    """Return the name of the parameter for a dependency: its own, unless that is reserved."""
    return dependency.stem if dependency.name in RESERVED_PARAMETERS else dependency.name


def default_description(asset: AssetId) -> str:
    """Return a description for want of a better one: "Clean orders."."""
    return f"{asset.name.replace('_', ' ').strip().capitalize()}."


def usual(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of an asset whose function is still to be written."""
    asset, layer = context.asset, context.asset.layer
    code = sample(asset, context.parameters, context.partition)
    variables = {**asset_variables(context), "sample": code}
    names = ["partition"] if variables["partition"] else context.parameters
    core = "bronze_core" if layer is Layer.BRONZE else "core"
    yield NewFile(
        path=asset.core_file,
        text=_render(f"{core}.py.jinja", variables),
        note=f"write {layer.function}({', '.join(names)}) here",
    )
    dagster = "bronze_asset" if layer is Layer.BRONZE else "asset"
    yield NewFile(path=asset.asset_file, text=_render(f"{dagster}.py.jinja", variables))
    yield NewFile(path=asset.test_file, text=_render("test.py.jinja", variables))


def _render(template: str, variables: dict[str, object]) -> str:
    from polster_core.rendering import render

    return render("polster_core", f"{_FOLDER}/{template}", variables)


__all__ = ["default_description", "parameter", "title", "usual"]
