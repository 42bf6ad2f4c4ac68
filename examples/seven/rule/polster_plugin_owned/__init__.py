"""A rule: somebody owns each asset of the gold layer."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import Layer, Pipeline, Problem, ValidationRule


@hookimpl
def polster_validation_rules() -> Iterable[ValidationRule]:
    """Add a rule to `polster validate`."""
    yield ValidationRule(name="owned", summary="Gold has an owner.", check=_without_owner)


def _without_owner(pipeline: Pipeline) -> Iterable[Problem]:
    for asset in pipeline.in_layer(Layer.GOLD):
        if asset.definitions and "Owner:" not in asset.description:
            place = asset.definitions[0].place
            yield Problem.at(place, f"{asset} has no owner", hint="write  Owner: NAME")
