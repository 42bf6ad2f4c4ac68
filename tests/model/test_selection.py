"""Selections: which assets an expression means."""

from __future__ import annotations

from pathlib import Path

import pytest

from polster_core.model.pipeline import AssetNameError, Pipeline
from polster_core.model.selection import SelectionError, select
from polster_core.project.reader import read_pipeline
from tests.handmade import shop, write_project

SHOP = {
    "bronze_orders": [],
    "bronze_customers": [],
    "silver_orders": ["bronze_orders", "bronze_customers"],
    "silver_people": ["bronze_customers"],
    "gold_revenue": ["silver_orders"],
    "gold_ltv": ["silver_orders", "silver_people"],
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return read_pipeline(write_project(tmp_path, shop(SHOP)))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("revenue", "gold_revenue"),
        ("run_gold_revenue", "gold_revenue"),
        ("key:run_gold_revenue", "gold_revenue"),
        ("src/core/gold_revenue.py", "gold_revenue"),
        ("+gold_revenue", "bronze_customers bronze_orders silver_orders gold_revenue"),
        ("1+gold_revenue", "silver_orders gold_revenue"),
        ("bronze_customers+", "bronze_customers silver_orders silver_people gold_ltv gold_revenue"),
        ("bronze_customers+1", "bronze_customers silver_orders silver_people"),
        ("0+people+0", "silver_people"),
        ("+people+", "bronze_customers silver_people gold_ltv"),
        ("layer:silver", "silver_orders silver_people"),
        ('group:"gold"', "gold_ltv gold_revenue"),
        ("*orders", "bronze_orders silver_orders"),
        ("gold_*", "gold_ltv gold_revenue"),
        ("revenue people", "silver_people gold_revenue"),
        ("revenue,people", "silver_people gold_revenue"),
        ("revenue or people", "silver_people gold_revenue"),
        ("layer:silver and +revenue", "silver_orders"),
        ("not layer:bronze and not layer:silver", "gold_ltv gold_revenue"),
        ("(revenue or people) and layer:gold", "gold_revenue"),
    ],
)
def test_an_expression_selects(pipeline: Pipeline, expression: str, expected: str) -> None:
    assert " ".join(str(asset) for asset in select(pipeline, [expression])) == expected


def test_without_an_expression_everything_is_selected(pipeline: Pipeline) -> None:
    assert select(pipeline, []) == select(pipeline, ["*"]) == pipeline.assets


def test_several_options_add_up(pipeline: Pipeline) -> None:
    assert [str(a) for a in select(pipeline, ["people", "ltv"])] == ["silver_people", "gold_ltv"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("revenu", "no asset is called revenu. Did you mean revenue?"),
        ("orders", "orders names more than one asset"),
        ("layer:sliver", "no layer is called sliver. Did you mean silver?"),
        ("zz*", "no asset matches 'zz*'"),
        ("", "'' is not a selection"),
        ("revenue and", "'revenue and' is not a selection"),
        ("(revenue", "'(revenue' is not a selection"),
        ("revenue)", "'revenue)' is not a selection"),
        ("tag:x", "'tag:x' is not a selection"),
        ("+", "'+' is not a selection"),
    ],
)
def test_what_is_no_selection_is_an_error(pipeline: Pipeline, expression: str, reason: str) -> None:
    with pytest.raises((SelectionError, AssetNameError)) as caught:
        select(pipeline, [expression])
    assert caught.value.reason == reason
    assert caught.value.exit_code == 2


def test_a_project_without_assets_has_nothing_to_select(tmp_path: Path) -> None:
    empty = read_pipeline(write_project(tmp_path, {}))
    assert select(empty, ["*"]) == select(empty, []) == ()
