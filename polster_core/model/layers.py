"""The medallion layers: their names, their files, and what may depend on what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from polster_core.model import layout

RESERVED_PARAMETERS = frozenset({"partition", "position"})
"""Parameters of core functions that the project's runtime fills; they are no dependencies."""


class Layer(StrEnum):
    """One of the three layers; they sort in the order in which data flows."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"

    @property
    def function(self) -> str:
        """The name of the function in a core file of this layer."""
        return _FUNCTIONS[self]

    @property
    def upstream(self) -> Layer | None:
        """The one layer that assets of this layer may depend on; `None` for bronze."""
        return _UPSTREAM[self]

    @property
    def rank(self) -> int:
        """0 for bronze, 1 for silver, 2 for gold."""
        return _RANKS[self]

    @property
    def init_file(self) -> PurePosixPath:
        """The file that registers the layer's Dagster assets."""
        return layout.current().assets / self / "__init__.py"

    @property
    def package(self) -> str:
        """The import name of the folder with the layer's Dagster assets."""
        return layout.current().module(f"orchestration.assets.{self}")


_FUNCTIONS = {Layer.BRONZE: "extract", Layer.SILVER: "transform", Layer.GOLD: "aggregate"}
_UPSTREAM = {Layer.BRONZE: None, Layer.SILVER: Layer.BRONZE, Layer.GOLD: Layer.SILVER}
_RANKS = {layer: rank for rank, layer in enumerate(Layer)}


@dataclass(frozen=True, slots=True)
class AssetId:
    """Layer and name of an asset, and everything that is called after them."""

    layer: Layer
    name: str

    @classmethod
    def parse(cls, text: str) -> AssetId | None:
        """Read a key or a stem (`run_silver_orders`, `silver_orders`); `None` if it is neither."""
        layer, _, name = text.removeprefix("run_").partition("_")
        if name and layer in _FUNCTIONS:
            return cls(Layer(layer), name)
        return None

    def __str__(self) -> str:
        """Return the stem, which is how messages name an asset."""
        return self.stem

    def __lt__(self, other: AssetId) -> bool:
        """Sort by layer in the order of flow, then by name."""
        return (self.layer.rank, self.name) < (other.layer.rank, other.name)

    @property
    def stem(self) -> str:
        """`silver_orders`."""
        return f"{self.layer}_{self.name}"

    @property
    def key(self) -> str:
        """`run_silver_orders`: the Dagster key, its function and its file."""
        return f"run_{self.layer}_{self.name}"

    @property
    def core_file(self) -> PurePosixPath:
        """`src/core/silver_orders.py`."""
        return layout.current().core / f"{self.stem}.py"

    @property
    def asset_file(self) -> PurePosixPath:
        """`src/orchestration/assets/silver/run_silver_orders.py`."""
        return layout.current().assets / self.layer / f"{self.key}.py"

    @property
    def test_file(self) -> PurePosixPath:
        """`tests/test_silver_orders.py`."""
        return layout.current().tests / f"test_{self.stem}.py"

    @property
    def core_module(self) -> str:
        """`core.silver_orders`."""
        return layout.current().module(f"core.{self.stem}")

    @property
    def asset_module(self) -> str:
        """`orchestration.assets.silver.run_silver_orders`."""
        return f"{self.layer.package}.{self.key}"


def module_of(path: PurePosixPath) -> str:
    """Return the import name of a file under `src`."""
    return ".".join(path.with_suffix("").parts[1:])


def of_folder(path: PurePosixPath) -> Layer | None:
    """Return the layer in whose folder, or below it, a Dagster file lies; `None` elsewhere."""
    assets = layout.current().assets.parts
    parts = path.parts[len(assets) :]
    inside = path.parts[: len(assets)] == assets and len(parts) > 1
    return Layer(parts[0]) if inside and parts[0] in _FUNCTIONS else None


def requirement(layer: Layer) -> str:
    """Say in words what the layer may depend on: `silver assets may depend on bronze only`."""
    return f"{layer} assets may depend on {layer.upstream or 'nothing'}" + (
        " only" if layer.upstream else ""
    )


def forbidden(asset: AssetId, upstream: AssetId) -> str | None:
    """Say why `asset` may not depend on `upstream`; `None` if it may."""
    if asset == upstream:
        return f"{asset} depends on itself"
    if upstream.layer is asset.layer.upstream:
        return None
    return f"{requirement(asset.layer)}; {upstream} is {upstream.layer}"
