"""What an asset is called, and what it may depend on."""

from __future__ import annotations

import pytest

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import FUNCTIONS, LAYERS, MAY_DEPEND_ON


@pytest.mark.parametrize("text", ["silver_orders", "run_silver_orders"])
def test_a_file_and_a_key_name_the_same_asset(text: str) -> None:
    asset = AssetId.parse(text)
    assert asset == AssetId("silver", "orders")
    assert (str(asset), asset.key) == ("silver_orders", "run_silver_orders")


def test_a_name_may_have_underscores() -> None:
    assert AssetId.parse("run_gold_run_rate_2026") == AssetId("gold", "run_rate_2026")


def test_what_names_no_layer_has_no_name() -> None:
    assert AssetId.parse("orders") == AssetId("orders", "")


def test_each_layer_depends_on_the_one_before() -> None:
    assert tuple(MAY_DEPEND_ON) == tuple(FUNCTIONS) == LAYERS
    assert tuple(MAY_DEPEND_ON.values()) == (None, *LAYERS[:-1])
