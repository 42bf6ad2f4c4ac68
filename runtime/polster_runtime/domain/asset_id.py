"""The identity of an asset."""

from __future__ import annotations

from typing import NamedTuple

from polster_runtime.domain.layers import LAYERS


class AssetId(NamedTuple):
    """Layer and name of an asset: src/core/silver_orders.py is silver, orders."""

    layer: str
    name: str

    def __str__(self) -> str:
        return f"{self.layer}_{self.name}"

    @property
    def key(self) -> str:
        """Its usual key in Dagster; that of an @asset function may have no `run_`."""
        return f"run_{self}"

    @staticmethod
    def parse(text: str) -> AssetId:
        """The asset of a text that names one: run_silver_orders, silver_orders."""
        layer, _, name = text.removeprefix("run_").partition("_")
        return AssetId(layer, name)

    @staticmethod
    def of_key(key: str) -> AssetId | None:
        """The asset of a Dagster key; None for a key of something else than a layer's asset."""
        asset = AssetId.parse(key)
        return asset if asset.layer in LAYERS and asset.name and "/" not in asset.name else None


def name_of(key: str) -> str:
    """What a Dagster key is called in messages: silver_orders, or the key itself."""
    return str(AssetId.of_key(key) or key)
