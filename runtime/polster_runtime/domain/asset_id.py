"""The identity of an asset."""

from __future__ import annotations

from typing import NamedTuple


class AssetId(NamedTuple):
    """Layer and name of an asset: src/core/silver_orders.py is silver, orders."""

    layer: str
    name: str

    def __str__(self) -> str:
        return f"{self.layer}_{self.name}"

    @property
    def key(self) -> str:
        """Its key in Dagster."""
        return f"run_{self}"

    @staticmethod
    def parse(text: str) -> AssetId:
        """The asset of a Dagster key or a file stem: run_silver_orders, silver_orders."""
        layer, _, name = text.removeprefix("run_").partition("_")
        return AssetId(layer, name)
