"""What Dagster files say of partitions, and whether the functions and what is upstream fit.

The runtime refuses the same, and more, when Dagster loads the project.
"""

from __future__ import annotations

from collections.abc import Iterator

from polster_core.model.diagnostics import Problem, ValidationRule
from polster_core.model.layers import Layer
from polster_core.model.pipeline import Asset, Pipeline

_INCREMENTAL = frozenset({"Append", "Upsert"})


def partitions(pipeline: Pipeline) -> Iterator[Problem]:
    """Find partitions that no function asks for, and those that nothing upstream has."""
    for asset in pipeline.assets:
        if asset.partitions and asset.core is not None:
            yield from _wrong(pipeline, asset)


def _wrong(pipeline: Pipeline, asset: Asset) -> Iterator[Problem]:
    core, place = asset.core, asset.definitions[0].place
    if core is None:
        return
    takes = {parameter.name for parameter in core.parameters}
    if asset.layer is Layer.BRONZE:
        if "partition" not in takes:
            message = f"{asset} has partitions, and {core.function}() does not take partition"
            hint = f"def {core.function}(partition: str)"
            yield Problem.at(core.place or place, message, hint=hint)
    elif asset.deps and not asset.definitions[0].unread:
        upstream = [pipeline.by_key[dep.key] for dep in asset.deps if dep.key in pipeline.by_key]
        if upstream and not any(one.partitions for one in upstream):
            names = " and ".join(map(str, upstream))
            message = f"{asset} has partitions, and {names} has none"
            hint = f"give {upstream[0]} the same partitions, or remove partitions_def"
            yield Problem.at(place, message, hint=hint)
    returned = core.returns.text.rpartition(".")[2] if core.returns else ""
    if "position" in takes or returned in _INCREMENTAL:
        message = f"{asset} has partitions and reads only what is new: take one of the two"
        hint = "each partition is read whole: remove position, New, Append and Upsert"
        yield Problem.at(core.place or place, message, hint=hint)


RULES = (
    ValidationRule(
        name="partitions",
        summary="Partitions fit the functions, and what is upstream.",
        check=partitions,
    ),
)
