"""The project as a whole: it loads, it keeps the layer rules, it runs by itself."""

import dagster as dg
import pytest

from orchestration.definitions import defs
from polster_runtime.dagster.layer_rules import enforce_layers


def test_the_project_loads_and_keeps_the_layer_rules() -> None:
    dg.Definitions.validate_loadable(defs())


@pytest.mark.parametrize(
    ("key", "deps", "sentence"),
    [
        (
            "run_gold_tried",
            ["run_bronze_tried"],
            "gold_tried depends on bronze_tried, but gold assets may depend on silver",
        ),
        (
            "run_bronze_tried",
            ["run_silver_tried"],
            "bronze_tried depends on silver_tried, but bronze assets may depend on nothing",
        ),
        (
            "run_silver_tried",
            ["run_bronze_treid"],
            "silver_tried depends on bronze_treid, which no asset defines",
        ),
        (
            "run_silver_tried",
            [],
            "silver_tried depends on nothing, but silver assets need at least one bronze",
        ),
    ],
)
def test_a_broken_layer_rule_is_a_sentence(key: str, deps: list[str], sentence: str) -> None:
    @dg.asset(name=key, deps=deps)
    def asset() -> None: ...

    with pytest.raises(dg.DagsterInvalidDefinitionError, match=sentence):
        enforce_layers([asset])


@pytest.mark.parametrize(("enabled", "status"), [("true", "RUNNING"), ("false", "STOPPED")])
def test_automation_is_on_unless_it_is_turned_off(
    monkeypatch: pytest.MonkeyPatch, enabled: str, status: str
) -> None:
    monkeypatch.setenv("AUTOMATION_ENABLED", enabled)
    definitions = defs()
    automation = [*(definitions.schedules or []), *(definitions.sensors or [])]
    found = {item.name: item.default_status.value for item in automation}
    assert (found["bronze_daily"], found["medallion"]) == (status, status)
