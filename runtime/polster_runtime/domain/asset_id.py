"""The identity of an asset."""

from __future__ import annotations

from typing import NamedTuple

from polster_runtime.domain.layers import LAYERS


class AssetId(NamedTuple):
    """Layer and name of an asset: src/core/silver_orders.py is silver, orders."""

    layer: str
    name: str
    partition: str = ""
    """The key of one of its partitions; empty for the whole asset."""

    def __str__(self) -> str:
        part = f"[{self.partition}]" if self.partition else ""
        return f"{self.layer}_{self.name}{part}"

    @property
    def whole(self) -> AssetId:
        """The asset of a partition."""
        return self._replace(partition="")

    def at(self, partition: str) -> AssetId:
        """One partition of the asset."""
        return self._replace(partition=partition)

    @property
    def key(self) -> str:
        """Its usual key in Dagster; that of an @asset function may have no `run_`."""
        return f"run_{self.whole}"

    @staticmethod
    def parse(text: str) -> AssetId:
        """The asset of a text that names one: run_silver_orders, silver_orders, silver_a[2026]."""
        layer, _, rest = text.removeprefix("run_").partition("_")
        name, _, partition = rest.partition("[")
        return AssetId(layer, name, partition.removesuffix("]"))

    @staticmethod
    def of_key(key: str) -> AssetId | None:
        """The asset of a Dagster key; None for a key of something else than a layer's asset."""
        asset = AssetId.parse(key)
        is_ours = asset.layer in LAYERS and asset.name and not asset.partition
        return asset if is_ours and "/" not in asset.name else None


def name_of(key: str) -> str:
    """What a Dagster key is called in messages: silver_orders, or the key itself."""
    return str(AssetId.of_key(key) or key)
