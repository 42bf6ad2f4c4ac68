"""What the templates of an asset may use."""

from __future__ import annotations

from polster_core.model.layers import AssetId, Layer
from polster_core.rendering.python_source import bracketed, docstring, imported, quoted
from polster_core.types import AssetContext

_PROMISE = {
    Layer.SILVER: "rows that break it are quarantined",
    Layer.GOLD: "one row that breaks it fails the run",
}


def asset_variables(context: AssetContext) -> dict[str, object]:
    """Return the variables of the templates of an asset, each a piece of Python as ruff writes it.

    `layer`, `function` (extract, transform or aggregate); `title`, `about` and `tests`, the
    docstrings of the core file, the Dagster file and the test; `docstring` of the function and
    `promise` of its contract; `signature`, the function's `def`; `parameters`, its names, and
    `first`, the first of them ("" in bronze); `call`, a call with empty frames (`with_frames` says
    whether there are any); `core_import`, which imports the function; `deps`, `check`, `drift` and
    `definition`, lines of the Dagster file; `partitions`, the line with its partitions, and
    `partitions_import`, what that needs ("" for an asset without); `answers` of the template's
    options.
    """
    asset, function = context.asset, context.asset.layer.function
    deps = [f'"{dependency.key}"' for dependency in context.dependencies]
    arguments = [f"{name}=pl.LazyFrame()" for name in context.parameters]
    takes_partition = asset.layer is Layer.BRONZE and bool(context.partition)
    line = f"    partitions_def={context.partitions_def},\n" if context.partitions_def else ""
    imports = f"{context.partitions_import}\n" if context.partitions_import else ""
    return {
        "layer": asset.layer,
        "function": function,
        "title": docstring(title(asset)),
        "docstring": context.docstring,
        "parameters": context.parameters,
        "first": next(iter(context.parameters), ""),
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
        "call": bracketed(
            f"{function}(",
            [quoted(context.partition)] if takes_partition else arguments,
            ")",
            indent=1,
        ),
        "partition": "partition: str" if takes_partition else "",
        "partitions": line,
        "partitions_import": imports,
        "with_frames": bool(arguments),
        "answers": context.answers,
    }


def title(asset: AssetId) -> str:
    """Return the first line of a core file: "Silver: orders."."""
    return f"{asset.layer.capitalize()}: {asset.name}."


def _check(function: str, key: str) -> str:
    """Return the call that makes a check, as an item two steps in, with a comma to come."""
    return bracketed(f"{function}(", [f'"{key}"'], "),", indent=2).strip().removesuffix(",")


__all__ = ["asset_variables", "title"]
