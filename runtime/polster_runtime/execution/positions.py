"""Incremental positions: how far the sources of assets were read."""

from collections.abc import Callable, Iterator, Sequence
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
from polster_runtime.execution.next_run import outlook
from polster_runtime.storage.snapshots import Provenance, Snapshot, numbers
from polster_runtime.storage.staging import stage
from polster_runtime.storage.store import Store

OF_MERGED = ("merged", "parts")
"""What a footer says of a merged file alone."""
HOW_FAR = ("position", "seen")
"""What a footer says of how far was read."""


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
    next_run: str | None
    """That the next run reads everything, and why, or that it fails; None when all is well."""

    @staticmethod
    def of(data: Store, asset: AssetId, snapshot: Snapshot) -> "State":
        """The state of an asset. Raises StorageError."""
        found = data.provenance(snapshot)
        return State(
            asset=str(asset),
            position=found.get("position"),
            seen=found.get("seen", {}),
            rows=data.scan(snapshot).select(pl.len()).collect().item(),
            increments=numbers(snapshot.path)[1] - numbers(snapshot.paths[0])[1],
            files=len(snapshot.paths),
            written=found.get("written"),
            path=snapshot.path,
            next_run=outlook(data, asset, snapshot),
        )


def states(data: Store, names: list[str]) -> Iterator[State]:
    """The states of the named assets, or of all that have one. Raises NoState."""
    for asset in [asset_named(name) for name in names] or data.assets():
        snapshot = data.latest(asset)
        if snapshot is None:
            if names:
                raise NoState(f"{asset} has no data yet: its first run reads everything")
        elif snapshot.partitioned:
            if names:
                raise NoState(f"{asset} has partitions, and so no position")
        elif (
            names
            or len(snapshot.paths) > 1
            or not {"position", "kind"}.isdisjoint(data.provenance(snapshot))
        ):
            yield State.of(data, asset, snapshot)


def change(data: Store, asset: AssetId, position: Any, *, dry_run: bool = False) -> tuple[Any, Any]:
    """Publish a position, None for none, as an increment without rows; return both, old and new.

    Raises NoState and StorageError.
    """
    if position is not None and asset.layer != LAYERS[0]:
        raise NoState(f"{asset} has no position: it reads what is new of its upstream assets")

    def amended(before: Provenance) -> Provenance:
        kept = {name: value for name, value in before.items() if name not in HOW_FAR}
        return kept | ({} if position is None else {"position": position})

    before, _ = _amend(data, asset, amended, dry_run=dry_run)
    return before.get("position"), position


def accept(data: Store, asset: AssetId, *, dry_run: bool = False) -> bool:
    """Let an incremental asset keep its rows though its code has changed; whether it had.

    Raises NoState and StorageError.
    """
    if asset.layer == LAYERS[0]:
        raise NoState(
            f"{asset} keeps what it has read, whatever its code: there is nothing to accept"
        )
    function = function_of(asset)
    if not plan_of(function).incremental:
        raise NoState(f"{asset} is not incremental: each run reads everything")
    before, after = _amend(
        data,
        asset,
        lambda before: before | {"logic": logic_version(function)},
        dry_run=dry_run,
    )
    return bool(before.get("logic") != after["logic"])


def _amend(
    data: Store,
    asset: AssetId,
    amended: Callable[[Provenance], Provenance],
    *,
    dry_run: bool,
) -> tuple[Provenance, Provenance]:
    """Publish what the newest footer should say, as an increment without rows; return both."""
    with alone(asset):
        snapshot = data.latest(asset)
        if snapshot is None:
            raise NoState(f"{asset} has no data yet: run it first")
        if snapshot.partitioned:
            raise NoState(f"{asset} has partitions, and so no position")
        before = data.provenance(snapshot)
        after = amended({name: before[name] for name in before if name not in OF_MERGED})
        after["written"] = datetime.now(UTC).isoformat()
        if not dry_run and before | {"written": after["written"]} != after:
            staged = stage(data.scan(snapshot).clear(), lambda: after)
            data.publish(staged, data.new_path(asset, on=snapshot))
    return before, after


def asset_named(text: str, layers: Sequence[str] = LAYERS) -> AssetId:
    """The asset that a person names: orders, bronze_orders, run_bronze_orders.

    Of several that are called orders it is the one of the first of `layers`. Raises NoState.
    """
    for asset in (AssetId.parse(text), *(AssetId(layer, text) for layer in layers)):
        if asset.layer and (core_dir() / f"{asset}.py").exists():
            return asset
    raise NoState(f"no asset is called {text}")
