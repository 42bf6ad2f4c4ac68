"""`polster run --select`: the grammar that `polster list-assets --select` has, too."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import dagster as dg
import pytest

from polster_runtime.dagster import selection as of_dagster
from polster_runtime.domain.selection import UnknownAsset, key_of, select
from tests.selections import REFUSED, SELECTED, SHOP

GRAPH: Mapping[str, AbstractSet[str]] = {
    f"run_{name}": {f"run_{one}" for one in upstream} for name, upstream in SHOP.items()
}


def names(keys: AbstractSet[str]) -> str:
    return " ".join(sorted(key.removeprefix("run_") for key in keys))


@pytest.mark.parametrize(("expression", "expected"), SELECTED.items())
def test_an_expression_selects(expression: str, expected: str) -> None:
    assert names(select(GRAPH, expression)) == expected


@pytest.mark.parametrize(("expression", "reason"), REFUSED.items())
def test_what_is_no_selection_is_an_error(expression: str, reason: str) -> None:
    with pytest.raises(UnknownAsset) as caught:
        select(GRAPH, expression)
    assert str(caught.value).startswith(reason)


def test_several_candidates_are_listed() -> None:
    with pytest.raises(UnknownAsset, match=r": bronze_orders, silver_orders$"):
        key_of("orders", GRAPH)


def test_an_asset_outside_of_the_layers_is_selected_by_its_key() -> None:
    assert select({**GRAPH, "nightly": {"run_gold_ltv"}}, "1+nightly") == {
        "nightly",
        "run_gold_ltv",
    }


def test_the_assets_of_dagster_are_selected() -> None:
    def made(name: str, upstream: list[str]) -> dg.AssetsDefinition:
        @dg.asset(name=f"run_{name}", deps=[f"run_{one}" for one in upstream])
        def one() -> None: ...

        return one

    assets = [made(name, upstream) for name, upstream in SHOP.items()]
    graph = dg.Definitions(assets=assets).resolve_asset_graph()
    for expression, expected in SELECTED.items():
        found = of_dagster.select(graph, [], expression)
        assert names({key.to_user_string() for key in found}) == expected
    assert of_dagster.select(graph, ["ltv"], None) == {dg.AssetKey("run_gold_ltv")}
    assert len(of_dagster.select(graph, [], None)) == len(SHOP)
