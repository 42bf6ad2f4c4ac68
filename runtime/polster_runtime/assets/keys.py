"""Keys of assets in Dagster, as text: run_silver_orders, or lake/run_silver_orders.

Where `[tool.polster] key-prefix` is set, the keys of this project's assets begin with it: so
several projects share one Dagster. Files, commands and messages name assets without it.
"""

import re

from polster_runtime.config.root import key_prefix
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.asset_id import name_of as plain_name_of


def key_of(asset: AssetId) -> str:
    """The usual key of an asset of this project."""
    return "/".join(filter(None, (key_prefix(), asset.key)))


def asset_of(key: str) -> AssetId | None:
    """The asset of a key; None for one of another project, or of none of the layers."""
    prefix, _, last = key.rpartition("/")
    return AssetId.of_key(last) if prefix == key_prefix() else None


def other_asset_of(key: str) -> AssetId | None:
    """The asset of another project that a key is of; None where it is not."""
    prefix, _, last = key.rpartition("/")
    return AssetId.of_key(last) if prefix and prefix != key_prefix() else None


def name_of(key: str) -> str:
    """What a key is called in messages: silver_orders, crm/gold_customers, or the key itself."""
    if asset := asset_of(key):
        return str(asset)
    prefix, slash, last = key.rpartition("/")
    return f"{prefix}{slash}{plain_name_of(last)}" if prefix and prefix != key_prefix() else key


def without_prefix(text: str) -> str:
    """A name, or an expression that selects assets, without the prefix of this project."""
    prefix = key_prefix()
    return re.sub(rf"(?<![\w/-]){re.escape(prefix)}/", "", text) if prefix else text
