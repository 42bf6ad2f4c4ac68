"""Dagster's keys, and the assets of the layers that they stand for."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from polster_runtime.assets import keys
from polster_runtime.config.root import key_prefix
from polster_runtime.domain.asset_id import AssetId


def key_of(asset: AssetId) -> dg.AssetKey:
    """The usual key of an asset of this project."""
    return dg.AssetKey.from_user_string(keys.key_of(asset))


def asset_of_key(key: dg.AssetKey) -> AssetId | None:
    """The asset of a key; None for one of another project, or of none of the layers."""
    return keys.asset_of(key.to_user_string())


def name_of_key(key: dg.AssetKey) -> str:
    """What a key is called in messages: silver_orders, crm/gold_customers, or the key itself."""
    return keys.name_of(key.to_user_string())


def with_prefix(key: dg.AssetKey) -> dg.AssetKey:
    """A key as code names it, with the prefix of this project."""
    return key.with_prefix(key_prefix()) if key_prefix() else key


def step_of_key(key: dg.AssetKey) -> str:
    """The step that makes an asset: its function was named before its key got a prefix."""
    own = keys.without_prefix(key.to_user_string())
    return dg.AssetKey.from_user_string(own).to_python_identifier()


def keys_of_steps(graph: Any) -> Mapping[str, list[dg.AssetKey]]:
    """The keys that each node of an asset graph materializes, by the first part of its step key."""
    found: dict[str, list[dg.AssetKey]] = {}
    for key in graph.materializable_asset_keys:
        found.setdefault(graph.get(key).assets_def.node_def.name, []).append(key)
    return found
