"""P5: `[tool.polster] key-prefix`: several projects in one Dagster, each with keys of its own."""

from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest

from polster_runtime.assets import keys
from polster_runtime.assets.binding import function_of
from polster_runtime.config import root
from polster_runtime.dagster import status
from polster_runtime.dagster.automation import ON_UPSTREAM_SUCCESS
from polster_runtime.dagster.definitions import build_definitions
from polster_runtime.dagster.replay import record
from polster_runtime.dagster.steps import Results, contract_check, drift_check
from polster_runtime.dagster.steps import materialize as step
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.selection import UnknownAsset
from polster_runtime.errors import SettingsError
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage.registry import read
from tests.runtime.conftest import CoreFile
from tests.runtime.shops import definitions_of, ran

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
    pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`:DeprecationWarning"),
]

OTHER = dg.AssetKey(["crm", "run_gold_customers"])
SILVER_OF_OTHER = dg.AssetKey(["crm", "run_silver_customers"])


def set_prefix(project: Path, line: str) -> None:
    """Give the project a line of [tool.polster]."""
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    root._parsed.cache_clear()
    root.key_prefix.cache_clear()


@pytest.fixture(autouse=True)
def lake(project: Path, home: Path) -> Path:
    """Let the project's keys begin with lake."""
    assert home.is_dir()
    set_prefix(project, 'key-prefix = "lake"')
    return project


def asset(stem: str, *deps: str | dg.AssetKey) -> dg.AssetsDefinition:
    """Return the Dagster side of an asset, as Polster writes it."""
    wanted = AssetId.parse(stem)
    is_bronze = wanted.layer == "bronze"
    check = (drift_check if is_bronze else contract_check)(wanted.key)

    @dg.asset(
        name=wanted.key,
        group_name=wanted.layer,
        deps=deps,
        check_specs=[check],
        automation_condition=None if is_bronze else ON_UPSTREAM_SUCCESS,
    )
    def made(context: dg.AssetExecutionContext) -> Results:
        yield from step(context, function_of(wanted))

    return made


def module_with(*assets: dg.AssetsDefinition) -> ModuleType:
    """Return a module of assets."""
    module = ModuleType("shop")
    vars(module).update({str(number): one for number, one in enumerate(assets)})
    return module


@pytest.fixture
def shop(core_file: CoreFile) -> dg.Definitions:
    """Return bronze over another project's gold, silver over that."""
    core_file("bronze_a", "def extract() -> pl.DataFrame:\n    return pl.DataFrame({'x': [1, 2]})")
    core_file("silver_a", "def transform(a: pl.LazyFrame) -> pl.LazyFrame:\n    return a")
    bronze, silver = asset("bronze_a", OTHER), asset("silver_a", "run_bronze_a")
    return build_definitions([module_with(bronze, silver)])


def test_p5_all_that_dagster_knows_has_the_prefix(shop: dg.Definitions) -> None:
    graph = shop.resolve_asset_graph()
    bronze, silver = dg.AssetKey(["lake", "run_bronze_a"]), dg.AssetKey(["lake", "run_silver_a"])
    assert set(graph.materializable_asset_keys) == {bronze, silver}
    assert graph.get(silver).parent_keys == {bronze}
    assert graph.get(bronze).parent_keys == {OTHER}
    assert {check.asset_key for check in graph.asset_check_keys} == {bronze, silver}
    repository = shop.get_repository_def()
    job = repository.get_job("all_assets")
    assert set(job.asset_layer.executable_asset_keys) == {bronze, silver}
    schedule = repository.get_schedule_def("bronze_daily")
    assert set(repository.get_job(schedule.job_name).asset_layer.executable_asset_keys) == {bronze}


def test_p5_a_run_a_selection_and_the_status(shop: dg.Definitions) -> None:
    done = ran(shop, expression="+silver_a")
    assert [(one["key"], one["name"], one["status"]) for one in done["assets"]] == [
        ("lake/run_bronze_a", "a", "succeeded"),
        ("lake/run_silver_a", "a", "succeeded"),
    ]
    for name in ("lake/run_bronze_a", "bronze_a", "run_bronze_a", "lake/bronze_a"):
        assert [one["key"] for one in ran(shop, name)["assets"]] == ["lake/run_bronze_a"]
    assert len(ran(shop, expression="lake/run_bronze_a+")["assets"]) == 2
    with pytest.raises(UnknownAsset, match="no asset is called crm"):
        ran(shop, expression="crm/gold_customers")
    states = {one["key"]: one["status"] for one in status.states(shop)}
    assert states == {
        "crm/run_gold_customers": "external",
        "lake/run_bronze_a": "fresh",
        "lake/run_silver_a": "fresh",
    }
    table = status.table(status.states(shop))
    assert "\nsilver_a " in table
    assert "\ncrm/gold_customers " in table
    assert read("silver_a").collect().height == 2


def test_p5_a_replay_is_of_the_same_asset(shop: dg.Definitions) -> None:
    record(materialize(function_of(AssetId("bronze", "a")), []))
    with dg.DagsterInstance.get() as instance:
        assert [*instance.all_asset_keys()] == [dg.AssetKey(["lake", "run_bronze_a"])]
    assert shop is not None


def test_p5_functions_follow() -> None:
    done = ran(
        definitions_of(
            """
            from dagster import AssetSpec, asset
            import polars as pl

            report = AssetSpec("report")

            @asset
            def bronze_a():
                return pl.DataFrame({"x": [1, 2]})

            @asset(deps=["run_bronze_a"])
            def silver_b(bronze_a):
                return bronze_a
            """
        )
    )
    assert [(one["key"], one["rows"]) for one in done["assets"]] == [
        ("lake/bronze_a", 2),
        ("lake/silver_b", 2),
    ]


@pytest.mark.parametrize(
    ("stem", "key", "rule"),
    [
        ("silver_b", OTHER, "silver_b depends on crm/gold_customers, but silver assets may depend"),
        ("bronze_b", SILVER_OF_OTHER, "bronze_b depends on crm/silver_customers, but bronze"),
    ],
)
def test_only_bronze_reads_what_others_publish_and_only_their_gold(
    stem: str, key: dg.AssetKey, rule: str
) -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=rule):
        build_definitions([module_with(asset(stem, key))])


@pytest.mark.parametrize("text", ['"silver"', '"a/b"', '"1a"', "7", '" "', '"ä"'])
def test_a_prefix_that_no_key_can_have(project: Path, text: str) -> None:
    file = project / "pyproject.toml"
    before = file.read_text("utf-8").replace('key-prefix = "lake"\n', "")
    file.write_text(before, encoding="utf-8")
    set_prefix(project, f"key-prefix = {text}")
    with pytest.raises(SettingsError, match=r"key-prefix = .* must be a word such as lake"):
        keys.key_of(AssetId("bronze", "a"))


def test_names_of_keys() -> None:
    named = {
        "lake/run_silver_a": "silver_a",
        "crm/run_gold_a": "crm/gold_a",
        "run_gold_a": "run_gold_a",
        "dbt/orders": "dbt/orders",
    }
    assert {key: keys.name_of(key) for key in named} == named
    assert keys.other_asset_of("crm/run_gold_a") == AssetId("gold", "a")
    assert keys.other_asset_of("lake/run_gold_a") is None
    assert keys.without_prefix("+lake/gold_a (flake/x or lake/b)") == "+gold_a (flake/x or b)"
