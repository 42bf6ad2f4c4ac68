"""@asset functions that take and return frames, and assets of no layer, beside Polster's own."""

import dagster as dg
import pytest

from polster_runtime.dagster import status
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.selection import UnknownAsset
from polster_runtime.storage.registry import read, store
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
    assert (found["run"], found["key"]) == (outcome["run_id"], "silver_clean_users")
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
