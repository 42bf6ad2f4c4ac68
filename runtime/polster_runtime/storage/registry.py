"""The stores that a project may choose among, and its data by the names of assets."""

from datetime import UTC, datetime
from types import ModuleType

import polars as pl

from polster_runtime.config import entry_points
from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import AssetError
from polster_runtime.storage.snapshots import Provenance
from polster_runtime.storage.staging import stage
from polster_runtime.storage.store import Store


def store(name: str = "") -> Store:
    """The store that a name or else STORAGE_BACKEND says.

    Raises SettingsError when this project has none such, and StorageError when it refuses.
    """
    name = name or settings().storage_backend
    backend = entry_points.chosen(entry_points.STORAGE, "STORAGE_BACKEND", name)
    connected: Store = backend.connect()
    return connected


def backend_module(name: str) -> ModuleType | None:
    """The module of a backend, None where there is none. Raises ModuleNotFoundError."""
    return entry_points.find(entry_points.STORAGE, name)


def backends() -> list[str]:
    """What STORAGE_BACKEND may name."""
    return sorted(entry_points.named(entry_points.STORAGE))


def read(name: str) -> pl.LazyFrame:
    """The latest rows of an asset, by the name of its file, for notebooks and scripts.

    Raises FileNotFoundError when it has no data yet.
    """
    asset, data = AssetId.parse(name), store()
    snapshot = data.latest(asset)
    if snapshot is None:
        raise FileNotFoundError(f"{asset} has no data yet")
    return data.scan(snapshot)


def write_parquet(frame: pl.DataFrame | pl.LazyFrame, name: str) -> str:
    """Publish rows as the newest snapshot of an asset; return its path.

    For scripts and notebooks: runs of assets do it by themselves. Raises AssetError for a name that
    is none of an asset, such as silver_orders, and StorageError.
    """
    asset, data = AssetId.parse(name), store()
    if asset.layer not in LAYERS or not asset.name.isidentifier():
        raise AssetError(f"{name!r} is no asset: say LAYER_NAME, such as silver_orders")
    written: Provenance = {"run": "", "written": datetime.now(UTC).isoformat()}
    return data.publish(stage(frame.lazy(), lambda: written), data.new_path(asset))
