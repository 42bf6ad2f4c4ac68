"""Partitions: what a run computes, records and stores; what readers get; what is refused."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import dataframely as dy
import pytest

from polster_runtime.dagster import private, runner, status
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.selection import UnknownAsset
from polster_runtime.errors import StorageError
from polster_runtime.execution import quarantine
from polster_runtime.storage.registry import read, store
from tests.runtime.conftest import CoreFile
from tests.runtime.shops import definitions_of

pytestmark = [
    pytest.mark.usefixtures("home"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]

SHOP = """
import dagster as dg
from polster_runtime.assets.binding import function_of
from polster_runtime.dagster.automation import ON_UPSTREAM_SUCCESS
from polster_runtime.dagster.steps import Results, contract_check, drift_check, materialize
from polster_runtime.domain.asset_id import AssetId

partitions = {partitions}

@dg.asset(partitions_def=partitions, check_specs=[drift_check("run_bronze_days")])
def run_bronze_days(context) -> Results:
    yield from materialize(context, function_of(AssetId("bronze", "days")))

@dg.asset(deps=["run_bronze_days"], partitions_def=partitions,
    automation_condition=ON_UPSTREAM_SUCCESS, check_specs=[contract_check("run_silver_days")])
def run_silver_days(context) -> Results:
    yield from materialize(context, function_of(AssetId("silver", "days")))

@dg.asset(deps=["run_silver_days"],
    automation_condition=ON_UPSTREAM_SUCCESS, check_specs=[contract_check("run_gold_total")])
def run_gold_total(context) -> Results:
    yield from materialize(context, function_of(AssetId("gold", "total")))
"""
DAYS = 'dg.DailyPartitionsDefinition(start_date="2026-01-01", end_date="2026-01-10")'
EXTRACT = """
import json
from pathlib import Path

def extract(partition: str) -> pl.DataFrame:
    days = json.loads(Path("{source}").read_text("utf-8"))
    return pl.DataFrame({{"day": [partition] * len(days[partition]), "sold": days[partition]}})
"""
TRANSFORM = """
class Contract(dy.Schema):
    day = dy.String()
    sold = dy.Int64(min=0)

MAX_REJECTED = 0.5

def transform(days: pl.LazyFrame) -> pl.LazyFrame:
    return days
"""
AGGREGATE = """
def aggregate(days: pl.LazyFrame) -> pl.LazyFrame:
    return days.group_by("day").agg(pl.col("sold").sum()).sort("day")
"""
BRONZE, SILVER, GOLD = (
    AssetId("bronze", "days"),
    AssetId("silver", "days"),
    AssetId("gold", "total"),
)


class Shop:
    """Three assets: bronze and silver by day, gold over all days; and what the source has."""

    def __init__(self, project: Path, core_file: CoreFile, partitions: str = DAYS) -> None:
        """Write its files."""
        self.source = project / "days.json"
        self.sold: dict[str, list[Any]] = {f"2026-01-{day:02}": [day, 1] for day in range(1, 10)}
        self.core_file = core_file
        core_file("bronze_days", EXTRACT.format(source=self.source.as_posix()))
        core_file("silver_days", TRANSFORM)
        core_file("gold_total", AGGREGATE)
        self.definitions = definitions_of(SHOP.format(partitions=partitions))

    def run(self, *names: str, **how: Any) -> dict[str, Any]:
        """Run as run_polster.py does; return what became of each asset, by its name."""
        self.source.write_text(json.dumps(self.sold), "utf-8")
        done = runner.run(self.definitions, names, **how)
        return {one["key"].removeprefix("run_"): one for one in done["assets"]} | {"": done}

    def recorded(self, asset: AssetId) -> set[str]:
        """Return the partitions that Dagster's bar shows."""
        with dg.DagsterInstance.get() as instance:
            return instance.get_materialized_partitions(dg.AssetKey(asset.key))

    def events(self, asset: AssetId) -> int:
        """Return how often Dagster has recorded an asset."""
        with dg.DagsterInstance.get() as instance:
            return len(instance.fetch_materializations(dg.AssetKey(asset.key), 1_000).records)

    def expected(self, *days: str) -> list[tuple[str, int]]:
        """Return what gold has to say of some days, or of all."""
        return [(day, sum(self.sold[day])) for day in sorted(days or self.sold)]


@pytest.fixture
def shop(project: Path, core_file: CoreFile) -> Shop:
    """Return a shop that has not run yet."""
    return Shop(project, core_file)


def test_without_a_word_the_latest_partition_is_run(shop: Shop) -> None:
    done = shop.run()
    assert [done[name]["status"] for name in ("bronze_days", "silver_days", "gold_total")] == [
        "succeeded"
    ] * 3
    assert done["bronze_days"]["partitions"] == 1
    assert "partitions" not in done["gold_total"]
    assert shop.recorded(SILVER) == {"2026-01-09"}
    assert list(store().partitions(SILVER)) == ["2026-01-09"]
    assert read("gold_total").collect().rows() == shop.expected("2026-01-09")


def test_a_range_is_one_run_that_records_each_partition_once(shop: Shop) -> None:
    done = shop.run(partition="2026-01-05..2026-01-09")
    assert (done["silver_days"]["partitions"], done["silver_days"]["rows"]) == (5, 10)
    assert shop.recorded(BRONZE) == {f"2026-01-0{day}" for day in range(5, 10)}
    assert shop.events(BRONZE) == 5
    assert shop.events(GOLD) == 1
    assert read("gold_total").collect().height == 5
    folder = Path(store().folder(BRONZE))
    assert min(path.name for path in folder.iterdir()) == "partition=2026-01-05"


def test_a_backfill_can_be_several_runs(
    project: Path, core_file: CoreFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def policy(shop: Shop) -> dg.BackfillPolicy | None:
        return shop.definitions.get_assets_def(SILVER.key).backfill_policy

    assert policy(Shop(project, core_file)) == dg.BackfillPolicy.single_run()
    monkeypatch.setenv("PARTITIONS_PER_RUN", "2")
    shop = Shop(project, core_file)
    assert policy(shop) == dg.BackfillPolicy.multi_run(2)
    done = shop.run(partition="2026-01-05..2026-01-09")
    assert (done["silver_days"]["partitions"], done["silver_days"]["rows"]) == (5, 10)


def test_without_the_private_name_partitions_are_recorded_twice_and_all_is_well(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "recorded_already", dict)
    shop.run(partition="2026-01-05..2026-01-06")
    assert shop.events(BRONZE) == 4
    assert shop.recorded(BRONZE) == {"2026-01-05", "2026-01-06"}


def test_two_bad_days_keep_the_others_and_missing_fixes_them(shop: Shop) -> None:
    good = shop.sold
    shop.sold = {day: sold for day, sold in good.items() if day not in {"2026-01-05", "2026-01-07"}}
    done = shop.run(partition="2026-01-01..2026-01-09")
    assert done["bronze_days"]["status"] == "failed"
    assert done["bronze_days"]["error"].startswith(
        "2 of 9 partitions failed, the others are done: 2026-01-05: "
    )
    assert done["silver_days"]["status"] == "skipped"
    assert len(shop.recorded(BRONZE)) == len(store().partitions(BRONZE)) == 7
    shop.sold = good
    done = shop.run(missing=True)
    assert done[""]["success"]
    assert (done["bronze_days"]["partitions"], done["silver_days"]["partitions"]) == (2, 9)
    assert len(shop.recorded(BRONZE)) == len(shop.recorded(SILVER)) == 9
    assert read("gold_total").collect().rows() == shop.expected()
    assert shop.run(missing=True)[""]["assets"] == []


def test_failed_runs_the_partitions_that_failed_last(shop: Shop) -> None:
    good = shop.sold
    shop.sold = {day: sold for day, sold in good.items() if day not in {"2026-01-05", "2026-01-07"}}
    shop.run(partition="2026-01-04..2026-01-07")
    shop.sold = {day: sold for day, sold in good.items() if day != "2026-01-05"}
    shop.run("bronze_days", partition="2026-01-09")  # a run of another changes nothing
    done = shop.run(failed=True)
    assert (done["bronze_days"]["status"], done["silver_days"]["partitions"]) == ("failed", 3)
    assert (done["gold_total"]["status"], done["gold_total"]["error"]) == (
        "skipped",
        "bronze_days failed",
    )
    shop.sold = good
    done = shop.run(failed=True)
    assert done[""]["success"]
    assert done["bronze_days"]["partitions"] == done["silver_days"]["partitions"] == 1
    days = [f"2026-01-0{day}" for day in range(4, 8)]
    assert read("gold_total").collect().rows() == shop.expected(*days)
    assert shop.run(failed=True)[""]["assets"] == []


def test_a_partition_that_is_run_again_replaces_its_rows_alone(shop: Shop) -> None:
    shop.run(partition="..2026-01-03")
    shop.sold["2026-01-02"] = [100]
    shop.run(partition="2026-01-02")
    assert read("gold_total").collect().rows() == shop.expected(
        "2026-01-01", "2026-01-02", "2026-01-03"
    )
    assert len(store().snapshots(SILVER.at("2026-01-02"))) == 2


def test_contract_and_quarantine_are_those_of_each_partition(
    shop: Shop, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.sold["2026-01-02"], shop.sold["2026-01-03"] = [5, -1], [-1]
    done = shop.run(partition="2026-01-01..2026-01-04")
    assert done["silver_days"]["status"] == "failed"
    assert (
        "1 of 4 partitions failed, the others are done: 2026-01-03: "
        in (done["silver_days"]["error"])
    )
    found = {str(batch.asset): batch for batch in quarantine.all_batches()}
    assert sorted(found) == ["silver_days[2026-01-02]", "silver_days[2026-01-03]"]
    assert [one.published for one in found.values()] == [True, False]
    file = project / "src/orchestration/assets/silver/run_silver_days.py"
    file.parent.mkdir(parents=True)
    deps = 'asset(deps=["run_bronze_days"], partitions_def=days)'
    file.write_text(deps, "utf-8")
    (file.parents[1] / "bronze").mkdir()
    file.parents[1].joinpath("bronze/run_bronze_days.py").write_text(deps, "utf-8")
    core = import_module("core.silver_days")
    monkeypatch.setattr(
        core,
        "Contract",
        type("Contract", (dy.Schema,), {"day": dy.String(), "sold": dy.Int64(min=-9)}),
    )
    (done_again,) = quarantine.replay(SILVER.at("2026-01-02"))
    assert (done_again.rows, done_again.rejected) == (2, 0)
    assert read("silver_days").filter(day="2026-01-02").collect()["sold"].sort().to_list() == [
        -1,
        5,
    ]


def test_the_hour_that_comes_twice_is_two_partitions(project: Path, core_file: CoreFile) -> None:
    span = 'start_date="2026-10-25-01:00", end_date="2026-10-25-04:00", timezone="Europe/Berlin"'
    shop = Shop(project, core_file, f"dg.HourlyPartitionsDefinition({span})")
    hours = [f"2026-10-25-0{hour}" for hour in ("1:00", "2:00", "2:00+0100", "3:00")]
    shop.sold = {hour: [number] for number, hour in enumerate(hours)}
    shop.run(partition="2026-10-25-02:00+0100")
    assert list(store().partitions(SILVER)) == [hours[2]]
    done = shop.run(partition="..")
    assert done["silver_days"]["partitions"] == 4
    assert list(store().partitions(SILVER)) == hours
    assert shop.recorded(BRONZE) == set(hours)
    assert read("gold_total").collect().rows() == shop.expected()


@pytest.mark.parametrize(
    ("partition", "sentence"),
    [
        ("2026-02-01", "2026-02-01 is no partition of bronze_days: they go from 2026-01-01 to"),
        ("nonsense", "nonsense is no partition of bronze_days"),
        ("2026-01-09..2026-01-05", "runs backwards: write 2026-01-05..2026-01-09"),
    ],
)
def test_a_partition_that_is_none_is_refused(shop: Shop, partition: str, sentence: str) -> None:
    with pytest.raises(UnknownAsset, match=sentence):
        shop.run(partition=partition)
    with pytest.raises(UnknownAsset, match="has partitions: omit --partition"):
        shop.run("gold_total", partition="2026-01-05")


def test_columns_that_change_between_partitions_keep_every_value(shop: Shop) -> None:
    shop.sold["2026-01-02"] = [0.5]
    shop.run("bronze_days", partition="2026-01-01..2026-01-02")
    assert read("bronze_days").collect()["sold"].to_list() == [1.0, 1.0, 0.5]
    shop.sold["2026-01-03"] = [2**60 + 1]
    shop.run("bronze_days", partition="2026-01-03")
    with pytest.raises(StorageError, match=r"run that partition again:  python run_polster\.py"):
        read("bronze_days").collect()


def last_drift() -> tuple[bool, dict[str, Any]]:
    """Return whether the last check of bronze has passed, and what it said."""
    key = dg.AssetCheckKey(dg.AssetKey(BRONZE.key), "drift")
    with dg.DagsterInstance.get() as instance:
        (last,) = instance.event_log_storage.get_asset_check_execution_history(key, 1)
    assert last.event is not None
    found = last.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    return found.passed, {name: value.value for name, value in found.metadata.items()}


def test_a_day_is_compared_with_the_day_before_it(shop: Shop) -> None:
    shop.run("bronze_days", partition="2026-01-02..2026-01-03")
    assert last_drift() == (True, {})
    shop.sold["2026-01-04"] = shop.sold["2026-01-06"] = [0.5]
    shop.run("bronze_days", partition="2026-01-04")
    retyped = {"retyped": "{'sold': 'Int64 -> Float64'}", "partitions": "2026-01-04"}
    assert last_drift() == (False, retyped)
    shop.run("bronze_days", partition="2026-01-01")
    assert last_drift() == (True, {})
    shop.run("bronze_days", partition="2026-01-05..2026-01-07")
    back = {"retyped": "{'sold': 'Float64 -> Int64'}"}
    assert last_drift() == (
        False,
        back | {"partitions": "2026-01-05, 2026-01-06, 2026-01-07"},
    )


def test_the_latest_partition_is_the_last_one_whatever_its_name(
    project: Path, core_file: CoreFile
) -> None:
    shop = Shop(project, core_file, 'dg.StaticPartitionsDefinition(["zebra", "ant", "bee"])')
    shop.sold = {"zebra": [1], "ant": [2], "bee": [3]}
    shop.run(partition="zebra..ant")
    bronze, silver, _ = status.states(shop.definitions)
    assert bronze["partitions"] == silver["partitions"] == {"done": 2, "all": 3, "latest": "ant"}


def test_static_partitions_with_any_name_have_a_folder(project: Path, core_file: CoreFile) -> None:
    shop = Shop(project, core_file, 'dg.StaticPartitionsDefinition(["a/b", "c:~d", "é."])')
    shop.sold = {"a/b": [1], "c:~d": [2], "é.": [3]}
    shop.run()
    names = sorted(path.name for path in Path(store().folder(BRONZE)).iterdir())
    assert names == ["partition=a~2Fb", "partition=c~3A~7Ed", "partition=~C3~A9~2E"]
    assert list(store().partitions(SILVER)) == ["a/b", "c:~d", "é."]
    assert read("gold_total").collect().rows() == shop.expected()
    assert list(store().other_files()) == []


def test_silver_follows_a_day_of_long_ago_and_gold_all_of_them(shop: Shop) -> None:
    conditions = {
        spec.key.to_user_string(): spec.automation_condition
        for spec in shop.definitions.resolve_all_asset_specs()
    }
    assert conditions["run_gold_total"] is None, "the sensor of Polster looks after it"
    with dg.DagsterInstance.get() as instance:
        before = dg.evaluate_automation_conditions(shop.definitions, instance=instance)
        assert before.total_requested == 0
        shop.run("bronze_days", partition="2026-01-02")
        after = dg.evaluate_automation_conditions(
            shop.definitions, instance=instance, cursor=before.cursor
        )
        silver = dg.AssetKey("run_silver_days")
        assert after.get_requested_partitions(silver) == {"2026-01-02"}
        assert after.total_requested == 1
