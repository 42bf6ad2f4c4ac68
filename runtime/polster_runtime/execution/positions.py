"""Incremental positions: how far the sources of assets were read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from polster_runtime.assets.binding import function_of
from polster_runtime.assets.increments import logic_version, plan_of
from polster_runtime.config.paths import core_dir
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS
from polster_runtime.errors import PipelineError
from polster_runtime.execution.locks import alone
from polster_runtime.storage.snapshots import Provenance, Snapshot, numbers
from polster_runtime.storage.staging import stage
from polster_runtime.storage.store import Store

NOT_COPIED = ("position", "seen", "merged", "parts")
"""Of the footer before: what is set again, and what only holds for a merged file."""


class NoState(PipelineError):
    """There is nothing to show or to change; the message says why."""


@dataclass(frozen=True, kw_only=True)
class State:
    """How far the source of an asset was read, and what is stored of it."""

    asset: str
    position: Any
    """None: the next run reads everything."""
    seen: dict[str, list[Any]]
    """How far an incremental silver or gold asset has read its upstream: epoch and increment."""
    rows: int
    increments: int
    """On top of the full file."""
    files: int
    """That a reader opens."""
    written: str | None
    """When the last of them was."""
    path: str

    @staticmethod
    def of(data: Store, asset: AssetId, snapshot: Snapshot) -> "State":
        """The state of an asset. Raises StorageError."""
        found = data.provenance(snapshot)
        return State(
            asset=str(asset),
            position=found.get("position"),
            seen=found.get("seen", {}),
            rows=data.scan(snapshot).select(pl.len()).collect().item(),
            increments=numbers(snapshot.path)[1],
            files=len(snapshot.paths),
            written=found.get("written"),
            path=snapshot.path,
        )


def states(data: Store, names: list[str]) -> Iterator[State]:
    """The states of the named assets, or of all that have one. Raises NoState."""
    for asset in [asset_named(name) for name in names] or data.assets():
        snapshot = data.latest(asset)
        if snapshot is None:
            if names:
                raise NoState(f"{asset} has no data yet: its first run reads everything")
        elif names or "position" in data.provenance(snapshot) or len(snapshot.paths) > 1:
            yield State.of(data, asset, snapshot)


def change(data: Store, asset: AssetId, position: Any, *, dry_run: bool = False) -> tuple[Any, Any]:
    """Publish a position, None for none, as an increment without rows; return both, old and new.

    Raises NoState and StorageError.
    """
    if position is not None and asset.layer != LAYERS[0]:
        raise NoState(f"{asset} has no position: it reads what is new of its upstream assets")
    with alone(asset):
        snapshot = data.latest(asset)
        if snapshot is None:
            raise NoState(f"{asset} has no data yet: run it first")
        before = data.provenance(snapshot)
        after: Provenance = {name: text for name, text in before.items() if name not in NOT_COPIED}
        after["written"] = datetime.now(UTC).isoformat()
        if position is not None:
            after["position"] = position
        if not dry_run:
            staged = stage(data.scan(snapshot).clear(), lambda: after)
            data.publish(staged, data.new_path(asset, on=snapshot))
    return before.get("position"), position


def accept(data: Store, asset: AssetId, *, dry_run: bool = False) -> bool:
    """Let an incremental asset keep its rows though its code has changed; whether it had.

    Raises NoState and StorageError.
    """
    function = function_of(asset)
    if not plan_of(function).incremental:
        raise NoState(f"{asset} is not incremental: each run reads everything")
    with alone(asset):
        snapshot = data.latest(asset)
        if snapshot is None:
            raise NoState(f"{asset} has no data yet: run it first")
        before = data.provenance(snapshot)
        after = {name: value for name, value in before.items() if name not in ("merged", "parts")}
        after |= {"logic": logic_version(function), "written": datetime.now(UTC).isoformat()}
        changed = bool(before.get("logic") != after["logic"])
        if changed and not dry_run:
            staged = stage(data.scan(snapshot).clear(), lambda: after)
            data.publish(staged, data.new_path(asset, on=snapshot))
    return changed


def asset_named(text: str) -> AssetId:
    """The asset that a person names: orders, bronze_orders, run_bronze_orders; bronze first."""
    for asset in (AssetId.parse(text), *(AssetId(layer, text) for layer in LAYERS)):
        if asset.layer and (core_dir() / f"{asset}.py").exists():
            return asset
    raise NoState(f"no asset is called {text}")
