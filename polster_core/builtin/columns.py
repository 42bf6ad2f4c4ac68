"""Columns of `polster list-assets` beside the usual ones."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import Asset, AssetColumn, Pipeline


@hookimpl
def polster_asset_columns() -> Iterable[AssetColumn]:
    """Offer the file, whether there is a contract, and what depends on the asset."""
    yield AssetColumn(name="file", summary="Where its function is.", value=_file)
    yield AssetColumn(name="contract", summary="Whether it has a contract.", value=_contract)
    yield AssetColumn(name="used-by", summary="What depends on it directly.", value=_used_by)


def _file(_: Pipeline, asset: Asset) -> str:
    return str(asset.core_file or "")


def _contract(_: Pipeline, asset: Asset) -> str:
    return "yes" if asset.core and asset.core.contract else "no"


def _used_by(pipeline: Pipeline, asset: Asset) -> str:
    return ", ".join(str(one) for one in pipeline.downstream(asset))
