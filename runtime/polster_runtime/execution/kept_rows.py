"""Rows that an asset with Own has kept itself, which nothing can compute again."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from polster_runtime.assets.binding import Function, asset_of
from polster_runtime.assets.contract import contract_of
from polster_runtime.assets.increments import REPLACE, plan_of
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError
from polster_runtime.storage.partitions import how_to_run
from polster_runtime.storage.snapshots import Snapshot
from polster_runtime.storage.store import Store

OWN = "own"
"""What the footer says of rows that were made with Own."""


def own_rows(function: Function, data: Store, previous: Snapshot | None) -> pl.LazyFrame:
    """The rows that an asset has; before its first run none. Raises AssetError and StorageError."""
    if previous is not None:
        return data.scan(previous)
    contract = contract_of(function)
    if contract is None:
        raise AssetError(
            f"{asset_of(function)}: Own needs a class Contract, which says what columns there are"
        )
    empty: pl.LazyFrame = contract.create_empty().lazy()
    return empty


def starts_over(
    asset: AssetId, function: Function, known: Mapping[str, Any], *, full_refresh: bool
) -> bool:
    """Whether rows that were made without Own make room for those of a function with it.

    `known` is what the footer of the rows says that there are. Raises AssetError where rows would
    be lost, or another key would hold for them, and nobody asked for that with a full refresh;
    the files of these rows stay.
    """
    plan = plan_of(function)
    as_before = (known.get("kind", REPLACE), known.get("key", [])) == (plan.kind, plan.key)
    if plan.own and (known.get(OWN) or as_before):
        return False
    if plan.own is None and not known.get(OWN):
        return False
    if full_refresh or not known:
        return plan.own is not None
    if plan.own:
        why = "the rows that it has are from before it asked for Own; to start over"
    else:
        why = (
            "it has kept rows with Own, which cannot be computed again, and its function asks for "
            "them no more: take Own back, or, to let what it returns take their place"
        )
    raise AssetError(f"{why}:  {how_to_run(asset, '--full-refresh')}; their files stay")
