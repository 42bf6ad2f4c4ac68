"""Which of Dagster's assets a command line asks for."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import dagster as dg

from polster_runtime.domain import selection
from polster_runtime.domain.selection import UnknownAsset

Keys = AbstractSet[dg.AssetKey]
Graph = Any
"""Dagster's asset graph, which has no public name."""


def select(graph: Graph, names: Sequence[str], expression: str | None) -> Keys:
    """The assets that are named, else those of an expression, else all. Raises UnknownAsset."""
    by_name = {key.to_user_string(): key for key in graph.materializable_asset_keys}
    if names:
        return {by_name[selection.key_of(name, by_name)] for name in names}
    if not by_name:
        raise UnknownAsset("this project has no assets yet")
    upstream = {
        name: {parent.to_user_string() for parent in graph.get(key).parent_keys} & by_name.keys()
        for name, key in by_name.items()
    }
    chosen = selection.select(upstream, "*" if expression is None else expression)
    return {by_name[name] for name in chosen}
