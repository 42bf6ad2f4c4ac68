"""Selections: which assets an expression means."""

from __future__ import annotations

from pathlib import Path

import pytest

from polster_core.model.pipeline import AssetNameError, Pipeline
from polster_core.model.selection import SelectionError, select
from polster_core.project.reader import read_pipeline
from tests.handmade import shop, write_project
from tests.selections import REFUSED, SELECTED, SHOP


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return read_pipeline(write_project(tmp_path, shop(SHOP)))


@pytest.mark.parametrize(("expression", "expected"), SELECTED.items())
def test_an_expression_selects(pipeline: Pipeline, expression: str, expected: str) -> None:
    assert " ".join(sorted(map(str, select(pipeline, [expression])))) == expected


def test_assets_are_in_the_order_of_the_pipeline(pipeline: Pipeline) -> None:
    found = select(pipeline, ["revenue people +ltv"])
    assert found == tuple(asset for asset in pipeline.assets if asset in found)


def test_without_an_expression_everything_is_selected(pipeline: Pipeline) -> None:
    assert select(pipeline, []) == select(pipeline, ["*"]) == pipeline.assets


def test_several_options_add_up(pipeline: Pipeline) -> None:
    assert [str(a) for a in select(pipeline, ["people", "ltv"])] == ["silver_people", "gold_ltv"]


@pytest.mark.parametrize(("expression", "reason"), REFUSED.items())
def test_what_is_no_selection_is_an_error(pipeline: Pipeline, expression: str, reason: str) -> None:
    with pytest.raises((SelectionError, AssetNameError)) as caught:
        select(pipeline, [expression])
    assert caught.value.reason == reason
    assert caught.value.exit_code == 2


def test_a_project_without_assets_has_nothing_to_select(tmp_path: Path) -> None:
    empty = read_pipeline(write_project(tmp_path, {}))
    assert select(empty, ["*"]) == select(empty, []) == ()
