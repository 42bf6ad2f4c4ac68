"""Which of Dagster's assets a command line asks for."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import dagster as dg

from polster_runtime.assets.keys import without_prefix
from polster_runtime.dagster.asset_keys import asset_of_key
from polster_runtime.domain import selection
from polster_runtime.domain.selection import UnknownAsset

Keys = AbstractSet[dg.AssetKey]
Graph = Any
"""Dagster's asset graph, which has no public name."""


def select(graph: Graph, names: Sequence[str], expression: str | None) -> Keys:
    """The assets that are named, else those of an expression, else all. Raises UnknownAsset.

    Assets of no layer that have partitions are left to the Dagster UI, which asks for which. What
    one function makes together is run together.
    """
    apart = {_name(key) for key in graph.materializable_asset_keys if _asks(graph, key)}
    by_name = {
        name: key for key in graph.materializable_asset_keys if (name := _name(key)) not in apart
    }
    names = [*map(without_prefix, names)]
    if named := apart.intersection(names):
        raise UnknownAsset(f"{min(named)} has partitions: run it in the Dagster UI")
    if names:
        return runnable(graph, {by_name[selection.key_of(name, by_name)] for name in names})
    if not by_name:
        raise UnknownAsset("this project has no assets yet")
    upstream = {
        name: {*map(_name, graph.get(key).parent_keys)} & by_name.keys()
        for name, key in by_name.items()
    }
    chosen = selection.select(upstream, "*" if expression is None else without_prefix(expression))
    return runnable(graph, {by_name[name] for name in chosen})


def _name(key: dg.AssetKey) -> str:
    """A key as `--select` takes it: without the prefix of this project."""
    return without_prefix(key.to_user_string())


def _asks(graph: Graph, key: dg.AssetKey) -> bool:
    return asset_of_key(key) is None and graph.get(key).partitions_def is not None


def runnable(graph: Graph, keys: Keys) -> Keys:
    """The assets that are run when some are to be: what one function makes is made together."""
    sets = (graph.get(key).execution_set_asset_keys for key in keys if not _asks(graph, key))
    return {key for several in sets for key in several}
