"""@asset functions that take and return frames, and assets of no layer, beside Polster's own."""

import dagster as dg
import pytest

from polster_runtime.dagster import status
from polster_runtime.dagster.definitions import build_definitions
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.selection import UnknownAsset
from polster_runtime.storage.registry import read, store
from tests.runtime.conftest import CoreFile
from tests.runtime.shops import definitions_of, module_of, ran

pytestmark = [
    pytest.mark.usefixtures("home"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
    pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`:DeprecationWarning"),
]

SEEDS = """
from dagster import asset
import polars as pl

@asset
def bronze_user_events():
    return pl.DataFrame({"user": [1, 1, 2, None], "kind": ["a", "b", "a", "a"]})

@asset
def silver_clean_users(bronze_user_events):
    return bronze_user_events.filter(pl.col("user").is_not_null())

@asset
def gold_user_metrics(silver_clean_users):
    return silver_clean_users.group_by("user").agg(pl.len().alias("events")).sort("user")
"""


def test_p6_seed_functions_are_members() -> None:
    shop = definitions_of(SEEDS)
    outcome = ran(shop)
    assert [(one["key"], one["status"], one["rows"]) for one in outcome["assets"]] == [
        ("bronze_user_events", "succeeded", 4),
        ("silver_clean_users", "succeeded", 3),
        ("gold_user_metrics", "succeeded", 2),
    ]
    assert read("gold_user_metrics").collect().rows() == [(1, 2), (2, 1)]
    data, silver = store(), AssetId("silver", "clean_users")
    snapshot = data.latest(silver)
    assert snapshot is not None
    found = data.provenance(snapshot)
    bronze = data.latest(AssetId("bronze", "user_events"))
    assert bronze is not None
    assert found["inputs"] == {"bronze_user_events": list(bronze.paths)}
    assert (found["run"], found["asset_key"]) == (outcome["run_id"], "silver_clean_users")
    assert [one["status"] for one in status.states(shop)] == ["fresh"] * 3
    groups = {spec.key.to_user_string(): spec.group_name for spec in shop.resolve_all_asset_specs()}
    assert groups["silver_clean_users"] == "silver"


FOREIGN = """
import dagster as dg

@dg.asset(deps=["gold_user_metrics"], group_name="reports")
def report() -> None: ...

@dg.asset(deps=[report])
def broken(): raise ValueError("no such printer")

@dg.asset(deps=[broken])
def after_broken() -> None: ...

@dg.multi_asset(specs=[dg.AssetSpec("one", deps=["raw"]), dg.AssetSpec(["lake", "two"])])
def several():
    yield dg.MaterializeResult("one")
    yield dg.MaterializeResult(["lake", "two"])

@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
def by_day(context) -> None: context.partition_key

@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def by_letter() -> None: ...

@dg.observable_source_asset
def watched(): return dg.DataVersion("1")

@dg.op
def first(): return 1

@dg.op
def second(x): return x + 1

@dg.graph_asset
def drawn(): return second(first())

@dg.asset_check(asset=report)
def printed() -> dg.AssetCheckResult: return dg.AssetCheckResult(passed=True)

@dg.op
def hello(): ...

@dg.job
def greeting(): hello()

defs = dg.Definitions(
    assets=[report, broken, after_broken, several, by_day, by_letter, watched, drawn,
            dg.AssetSpec("raw", group_name="bronze")],
    asset_checks=[printed],
    jobs=[greeting],
    resources={"io_manager": dg.mem_io_manager},
)
"""


def merged() -> dg.Definitions:
    """Return the seeds' functions beside assets of every other kind."""
    return dg.Definitions.merge(definitions_of(SEEDS), module_of(FOREIGN).defs)


def test_p6_assets_of_no_layer_run_beside_ours_under_their_own_keys() -> None:
    shop = merged()
    dg.Definitions.validate_loadable(shop)
    outcome = ran(shop)
    assert not outcome["success"]
    assert {one["key"]: one["status"] for one in outcome["assets"]} == {
        **dict.fromkeys(("bronze_user_events", "silver_clean_users"), "succeeded"),
        **dict.fromkeys(("gold_user_metrics", "report", "one", "lake/two", "drawn"), "succeeded"),
        "broken": "failed",
        "after_broken": "skipped",
    }
    found = {one["key"]: one for one in outcome["assets"]}
    assert "no such printer" in found["broken"]["error"]
    assert found["after_broken"]["error"] == "broken failed"
    assert (found["report"]["layer"], found["report"]["name"]) == (None, "report")
    keys = [one["key"] for one in outcome["assets"]]
    assert keys.index("report") > keys.index("gold_user_metrics")
    assert {one["key"]: one["status"] for one in status.states(shop)} == {
        **dict.fromkeys(("bronze_user_events", "silver_clean_users"), "fresh"),
        **dict.fromkeys(("gold_user_metrics", "report", "one", "lake/two", "drawn"), "fresh"),
        "broken": "failed",
        **dict.fromkeys(("after_broken", "by_day", "by_letter"), "never"),
        **dict.fromkeys(("raw", "watched"), "external"),
    }
    assert "\nreport " in status.table(status.states(shop))


def test_p6_assets_of_no_layer_can_be_named() -> None:
    shop = merged()
    assert {one["key"] for one in ran(shop, "one")["assets"]} == {"one", "lake/two"}
    chosen = ran(shop, expression="drawn or layer:bronze")["assets"]
    assert {one["key"] for one in chosen} == {"drawn", "bronze_user_events"}
    with pytest.raises(UnknownAsset, match="by_day has partitions: run it in the Dagster UI"):
        ran(shop, "by_day")


CLASSIC = """
import dagster as dg
from polster_runtime.assets.binding import function_of
from polster_runtime.dagster.steps import Results, contract_check, drift_check, materialize
from polster_runtime.domain.asset_id import AssetId

@dg.asset(check_specs=[drift_check("run_bronze_orders")])
def run_bronze_orders(context) -> Results:
    yield from materialize(context, function_of(AssetId("bronze", "orders")))

@dg.asset(deps=["run_silver_orders"], check_specs=[contract_check("run_gold_orders")])
def run_gold_orders(context) -> Results:
    yield from materialize(context, function_of(AssetId("gold", "orders")))
"""
BETWEEN = """
import polars as pl
from dagster import asset

@asset
def silver_orders(bronze_orders: pl.LazyFrame) -> pl.LazyFrame:
    return bronze_orders.filter(pl.col("x") > 1)
"""


def test_p6_functions_and_core_files_depend_on_each_other(core_file: CoreFile) -> None:
    core_file("bronze_orders", "def extract():\n    return pl.DataFrame({'x': [1, 2, 3]})\n")
    core_file("gold_orders", "def aggregate(df):\n    return df.select(pl.col('x').sum())\n")
    shop = definitions_of(CLASSIC, BETWEEN)
    outcome = ran(shop)
    assert [(one["key"], one["status"], one["rows"]) for one in outcome["assets"]] == [
        ("run_bronze_orders", "succeeded", 3),
        ("silver_orders", "succeeded", 2),
        ("run_gold_orders", "succeeded", 1),
    ]
    assert [one["deps"] for one in outcome["assets"]] == [
        [],
        ["run_bronze_orders"],
        ["silver_orders"],
    ]
    assert read("gold_orders").collect().item() == 5
    with dg.DagsterInstance.get() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("run_gold_orders"))
    assert event is not None
    assert event.asset_materialization is not None
    lineage = event.asset_materialization.metadata["dagster/column_lineage"].value
    assert isinstance(lineage, dg.TableColumnLineage)
    assert lineage.deps_by_column["x"][0].asset_key == dg.AssetKey("silver_orders")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "@asset\ndef gold_x(bronze_user_events): return bronze_user_events",
            "gold_x depends on bronze_user_events, but gold assets may depend on silver",
        ),
        (
            "@asset\ndef silver_x(bronze_gone): return bronze_gone",
            "silver_x depends on bronze_gone, which no asset defines",
        ),
        (
            "@asset\ndef run_bronze_user_events(): return None",
            "bronze_user_events and run_bronze_user_events are the same asset",
        ),
    ],
)
def test_p6_layer_rules_hold_for_functions(code: str, sentence: str) -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=sentence):
        definitions_of(SEEDS, f"from dagster import asset\n\n{code}\n")


def test_p6_a_package_of_a_layer_has_assets_of_the_layers_alone() -> None:
    report = "import dagster as dg\n\n@dg.asset\ndef report() -> None: ...\n"
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="report must be called run_LAYER"):
        build_definitions([module_of(report, "gold")])
    keys = build_definitions([module_of(report)]).resolve_all_asset_keys()
    assert keys == [dg.AssetKey("report")]


def test_p6_silver_functions_need_a_core_file_where_contracts_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUIRE_CONTRACTS", "true")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="silver_clean_users has no contr"):
        definitions_of(SEEDS)


def test_p6_functions_that_are_merged_are_stored_as_snapshots_too() -> None:
    functions = dg.Definitions(assets=dg.load_assets_from_modules([module_of(SEEDS)]))
    shop = dg.Definitions.merge(definitions_of(), functions)
    assert ran(shop)["success"]
    assert read("gold_user_metrics").collect().height == 2
    assert [one["status"] for one in status.states(shop)] == ["fresh"] * 3


def test_p6_what_fails_in_a_function_is_told_as_usual() -> None:
    shop = definitions_of(SEEDS.replace('pl.col("user").is_not_null()', 'pl.col("usr") > 1'))
    (alone,) = ran(shop, "gold_user_metrics")["assets"]
    assert alone["error"] == "silver_clean_users has no data yet: run it first"
    outcome = ran(shop)
    _, silver, gold = outcome["assets"]
    assert "usr" in silver["error"]
    assert (gold["status"], gold["error"]) == ("skipped", "silver_clean_users failed")
    assert [one["status"] for one in status.states(shop)] == ["fresh", "failed", "never"]


def test_p6_others_may_take_rows_of_a_layer() -> None:
    taking = """
    import dagster as dg

    @dg.asset(ins={"gold_user_metrics": dg.AssetIn(input_manager_key="polster_snapshots")})
    def letter(gold_user_metrics):
        return {"users": gold_user_metrics.height}
    """
    shop = dg.Definitions.merge(
        definitions_of(SEEDS), dg.Definitions(assets=[module_of(taking).letter])
    )
    outcome = ran(shop)
    assert [one["status"] for one in outcome["assets"]] == ["succeeded"] * 4


def test_p6_functions_start_by_themselves_and_others_do_not() -> None:
    repository = merged().get_repository_def()
    bronze = repository.get_job(repository.get_schedule_def("bronze_daily").job_name)
    assert set(bronze.asset_layer.executable_asset_keys) == {dg.AssetKey("bronze_user_events")}
    assert ran(definitions_of(SEEDS), "bronze_user_events")["success"]
    with (
        dg.DagsterInstance.get() as instance,
        dg.build_sensor_context(instance, None, repository_def=repository) as context,
    ):
        found = repository.get_sensor_def("medallion").evaluate_tick(context)
    asked = {key for request in found.run_requests or () for key in request.asset_selection or ()}
    assert asked == {dg.AssetKey("silver_clean_users"), dg.AssetKey("gold_user_metrics")}
