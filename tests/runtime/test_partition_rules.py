"""Partitions that are refused when Dagster loads, each with a sentence."""

from __future__ import annotations

from datetime import datetime

import dagster as dg
import pytest

from polster_runtime.dagster.layer_rules import enforce_layers
from polster_runtime.dagster.partition_schedules import partition_schedules
from tests.runtime.conftest import CoreFile

DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01")
LATER = dg.DailyPartitionsDefinition(start_date="2026-01-02")
EXTRACT = "def extract(partition):\n    return None\n"
TRANSFORM = "def transform(days):\n    return days\n"
APPEND = "from polster_runtime import Append, New\n\ndef transform(days: New) -> Append:\n    ..."
OWN = TRANSFORM.replace("(days)", "(days: pl.LazyFrame, position)")


def asset(
    name: str, partitions: dg.PartitionsDefinition[str] | None, *deps: str
) -> dg.AssetsDefinition:
    """Return an asset with some partitions."""

    @dg.asset(name=f"run_{name}", partitions_def=partitions, deps=[f"run_{one}" for one in deps])
    def made() -> None: ...

    return made


def wrong(*assets: dg.AssetsDefinition) -> list[str]:
    """Return what is wrong with some assets."""
    try:
        enforce_layers(assets)
    except dg.DagsterInvalidDefinitionError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    ("partitions", "sentence"),
    [
        (dg.DailyPartitionsDefinition("2026-01-01"), ""),
        (dg.HourlyPartitionsDefinition("2026-01-01-00:00"), ""),
        (dg.WeeklyPartitionsDefinition("2026-01-01"), ""),
        (dg.MonthlyPartitionsDefinition("2026-01-01"), ""),
        (dg.StaticPartitionsDefinition(["a", "b/c", "d:e"]), ""),
        (dg.DailyPartitionsDefinition("2999-01-01"), "its partitions start in the future, on 2999"),
        (dg.HourlyPartitionsDefinition("1900-01-01-00:00"), "at most 100,000 are possible"),
        (dg.StaticPartitionsDefinition(["eu", "EU"]), "eu and EU are one folder where case is"),
        (dg.StaticPartitionsDefinition(["x" * 300]), "is too long"),
        (dg.StaticPartitionsDefinition(["", "a"]), "the partition '' is empty"),
        (dg.StaticPartitionsDefinition(["1..2"]), "has .. in it, which stands for a range"),
        (dg.DynamicPartitionsDefinition(name="x"), "DynamicPartitionsDefinition is not supported"),
    ],
    ids=str,
)
def test_partitions_that_cannot_be(
    core_file: CoreFile, partitions: dg.PartitionsDefinition[str], sentence: str
) -> None:
    core_file("bronze_days", EXTRACT)
    found = wrong(asset("bronze_days", partitions))
    assert len(found) == bool(sentence), found
    assert all(sentence in one for one in found)


@pytest.mark.parametrize(
    ("bronze", "silver", "extract", "transform", "sentence"),
    [
        (DAYS, DAYS, EXTRACT, TRANSFORM, ""),
        (DAYS, None, EXTRACT, TRANSFORM, ""),
        (DAYS, DAYS, EXTRACT.replace("partition", ""), TRANSFORM, "extract() must take partition"),
        (None, None, EXTRACT, TRANSFORM, "takes partition, but its Dagster file has no partitions"),
        (None, DAYS, EXTRACT.replace("partition", ""), TRANSFORM, "nothing that it depends on has"),
        (DAYS, LATER, EXTRACT, TRANSFORM, "silver_days and bronze_days have different partitions"),
        (DAYS, DAYS, EXTRACT, APPEND, "transform() adds to its rows: each partition is read whole"),
        (DAYS, DAYS, EXTRACT, OWN, "transform() takes position: each partition is read whole"),
        (DAYS, None, EXTRACT, APPEND, "bronze_days has partitions, which are replaced"),
    ],
)
def test_partitions_that_do_not_fit_the_functions(
    core_file: CoreFile,
    bronze: dg.PartitionsDefinition[str] | None,
    silver: dg.PartitionsDefinition[str] | None,
    extract: str,
    transform: str,
    sentence: str,
) -> None:
    core_file("bronze_days", extract)
    core_file("silver_days", transform)
    found = wrong(asset("bronze_days", bronze), asset("silver_days", silver, "bronze_days"))
    if sentence:
        assert any(sentence in one for one in found), found
    else:
        assert found == []


def test_a_function_that_returns_frames_has_no_partitions() -> None:
    (found,) = wrong(asset("bronze_none", DAYS))
    assert found.startswith("bronze_none has a partitions_def, but returns its rows to Dagster")


@pytest.mark.parametrize(
    ("partitions", "cron", "keys"),
    [
        (DAYS, "1 0 * * *", ["2026-01-31"]),
        (dg.HourlyPartitionsDefinition("2026-01-01-00:00"), "0 * * * *", ["2026-02-01-05:00"]),
        (dg.MonthlyPartitionsDefinition("2026-01-01"), "1 0 * * *", ["2026-01-01"]),
        (dg.StaticPartitionsDefinition(["a", "b"]), "1 0 * * *", ["a", "b"]),
    ],
    ids=["days", "hours", "months", "names"],
)
def test_the_schedule_is_for_the_latest(
    core_file: CoreFile, partitions: dg.PartitionsDefinition[str], cron: str, keys: list[str]
) -> None:
    core_file("bronze_days", EXTRACT)
    bronze = asset("bronze_days", partitions)
    (schedule,) = partition_schedules(bronze.specs)
    assert schedule.cron_schedule == cron
    found = dg.Definitions(assets=[bronze], schedules=[schedule]).get_repository_def()
    context = dg.build_schedule_context(
        repository_def=found, scheduled_execution_time=_at("2026-02-01T06:00:00+00:00")
    )
    ticked = found.get_schedule_def(schedule.name).evaluate_tick(context)
    assert [one.tags["dagster/partition"] for one in ticked.run_requests or ()] == keys


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
