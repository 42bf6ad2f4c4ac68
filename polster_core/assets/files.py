"""The three files of an asset: core, Dagster and test."""

from __future__ import annotations

from collections.abc import Iterator

from polster_core.assets.sample_code import sample
from polster_core.model.layers import RESERVED_PARAMETERS, AssetId, Layer
from polster_core.rendering.python_source import bracketed, docstring, imported
from polster_core.types import AssetContext, NewFile

_FOLDER = "templates/assets"
_PROMISE = {
    Layer.SILVER: "rows that break it are quarantined",
    Layer.GOLD: "one row that breaks it fails the run",
}


def parameter(dependency: AssetId) -> str:
    """Return the name of the parameter for a dependency: its own, unless that is reserved."""
    return dependency.stem if dependency.name in RESERVED_PARAMETERS else dependency.name


def default_description(asset: AssetId) -> str:
    """Return a description for want of a better one: "Clean orders."."""
    return f"{asset.name.replace('_', ' ').strip().capitalize()}."


def title(asset: AssetId) -> str:
    """Return the first line of a core file: "Silver: orders."."""
    return f"{asset.layer.capitalize()}: {asset.name}."


def usual(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of an asset whose function is still to be written."""
    asset, layer = context.asset, context.asset.layer
    variables = _variables(context)
    core = "bronze_core" if layer is Layer.BRONZE else "core"
    yield NewFile(
        path=asset.core_file,
        text=_render(f"{core}.py.jinja", variables),
        note=f"write {layer.function}({', '.join(context.parameters)}) here",
    )
    dagster = "bronze_asset" if layer is Layer.BRONZE else "asset"
    yield NewFile(path=asset.asset_file, text=_render(f"{dagster}.py.jinja", variables))
    yield NewFile(path=asset.test_file, text=_render("test.py.jinja", variables))


def _variables(context: AssetContext) -> dict[str, object]:
    asset, function = context.asset, context.asset.layer.function
    deps = [f'"{dependency.key}"' for dependency in context.dependencies]
    arguments = [f"{name}=pl.LazyFrame()" for name in context.parameters]
    return {
        "layer": asset.layer,
        "function": function,
        "title": docstring(title(asset)),
        "docstring": context.docstring,
        "sample": sample(asset, context.parameters),
        "about": docstring(f"The Dagster asset of {asset.core_file}."),
        "tests": docstring(f"Tests of {asset.core_file}."),
        "promise": docstring(
            f"What every row of {asset.stem} promises; {_PROMISE.get(asset.layer)}.", indent=1
        ),
        "core_import": imported(asset.core_module, function),
        "deps": bracketed("deps=[", deps, "],", indent=1),
        "check": bracketed("check_specs=[", [_check("contract_check", asset.key)], "],", indent=1),
        "drift": bracketed("check_specs=[", [_check("drift_check", asset.key)], "],", indent=1),
        "definition": bracketed(
            f"def {asset.key}(", ["context: dg.AssetExecutionContext"], ") -> Results:"
        ),
        "signature": bracketed(
            f"def {function}(",
            [f"{name}: pl.LazyFrame" for name in context.parameters],
            ") -> pl.LazyFrame:",
        ),
        "call": bracketed(f"{function}(", arguments, ")", indent=1),
        "with_frames": bool(arguments),
    }


def _check(function: str, key: str) -> str:
    """Return the call that makes a check, as an item two steps in, with a comma to come."""
    return bracketed(f"{function}(", [f'"{key}"'], "),", indent=2).strip().removesuffix(",")


def _render(template: str, variables: dict[str, object]) -> str:
    from polster_core.rendering import render

    return render("polster_core", f"{_FOLDER}/{template}", variables)
