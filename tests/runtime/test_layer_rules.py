"""The layer rules that Dagster enforces when it loads a project."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
import pytest

from polster_runtime.dagster.layer_rules import enforce_layers
from tests.runtime.conftest import CoreFile


def asset(name: str, deps: Sequence[str] = ()) -> dg.AssetsDefinition:
    """Return an asset of some key and dependencies."""

    @dg.asset(name=name, deps=list(deps))
    def made() -> None: ...

    return made


BRONZE, SILVER = asset("run_bronze_a"), asset("run_silver_a", ["run_bronze_a"])


def test_what_keeps_them_passes() -> None:
    enforce_layers([BRONZE, SILVER, asset("run_gold_a", ["run_silver_a"])])


@pytest.mark.parametrize(
    ("name", "deps", "sentence"),
    [
        ("run_gold_a", ["run_bronze_a"], "gold_a depends on bronze_a, but gold assets may depend"),
        ("run_gold_a", [], "gold_a depends on nothing, but gold assets need at least one silver"),
        ("run_bronze_b", ["run_bronze_a"], "bronze assets may depend on nothing"),
        ("run_silver_b", ["run_silver_a"], "silver assets may depend on bronze assets only"),
        ("run_silver_b", ["run_bronze_c"], "silver_b depends on bronze_c, which no asset defines"),
        ("orders", [], "orders must be called run_LAYER_NAME"),
    ],
)
def test_what_breaks_them_is_a_sentence(name: str, deps: list[str], sentence: str) -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=sentence):
        enforce_layers([BRONZE, SILVER, asset(name, deps)])


def test_every_broken_rule_is_told_at_once() -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError) as broken:
        enforce_layers([asset("run_gold_a"), asset("run_silver_a")])
    assert len(str(broken.value).splitlines()) == 2


def test_parameters_and_contracts_are_looked_at_as_well(core_file: CoreFile) -> None:
    core_file("silver_a", "Contract = 7\n\n\ndef transform(x, y):\n    return x\n")
    with pytest.raises(dg.DagsterInvalidDefinitionError) as broken:
        enforce_layers([BRONZE, SILVER])
    parameters, contract = str(broken.value).splitlines()
    assert parameters.startswith("src/core/silver_a.py:7: transform(x, y) must take one parameter")
    assert contract == "silver_a: Contract must be a class made from dy.Schema"


def test_contracts_may_be_required(core_file: CoreFile, monkeypatch: pytest.MonkeyPatch) -> None:
    core_file("silver_a", "def transform(df):\n    return df\n")
    enforce_layers([BRONZE, SILVER])
    monkeypatch.setenv("REQUIRE_CONTRACTS", "true")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="silver_a has no contract, and REQ"):
        enforce_layers([BRONZE, SILVER])
