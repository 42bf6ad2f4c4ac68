"""Dagster's keys, and the assets of the layers that they stand for."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from polster_runtime.domain.asset_id import AssetId, name_of


def asset_of_key(key: dg.AssetKey) -> AssetId | None:
    """The asset of a key; None for one that is none of the layers'."""
    return AssetId.of_key(key.to_user_string())


def name_of_key(key: dg.AssetKey) -> str:
    """What a key is called in messages: silver_orders, or the key itself."""
    return name_of(key.to_user_string())


def keys_of_steps(graph: Any) -> Mapping[str, list[dg.AssetKey]]:
    """The keys that each node of an asset graph materializes, by the first part of its step key."""
    found: dict[str, list[dg.AssetKey]] = {}
    for key in graph.materializable_asset_keys:
        found.setdefault(graph.get(key).assets_def.node_def.name, []).append(key)
    return found
