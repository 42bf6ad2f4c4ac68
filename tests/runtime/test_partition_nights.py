"""Partitions through random runs, and when an asset gets or loses them; without Dagster."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polster_runtime.cli import preview
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError, ContractBroken
from polster_runtime.execution.layout import keep_layout
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage.copying import copy, files
from polster_runtime.storage.registry import read, store
from polster_runtime.storage.retention import Retention
from tests.runtime.conftest import CoreFile

BRONZE, SILVER = AssetId("bronze", "sales"), AssetId("silver", "sales")
SOURCE: dict[str, list[Any]] = {}
EXTRACT = """
from tests.runtime.test_partition_nights import SOURCE

def extract(partition):
    return pl.DataFrame({"day": [partition] * len(SOURCE[partition]), "n": SOURCE[partition]})
"""
WHOLE = EXTRACT.replace("(partition)", "()").replace(
    "    return", "    partition = min(SOURCE)\n    return"
)
TRANSFORM = """
class Contract(dy.Schema):
    day = dy.String()
    n = dy.Int64(min=0)

MAX_REJECTED = 0.5

def transform(sales):
    return sales
"""
AGGREGATE = "def aggregate(sales):\n    return sales.group_by('day').agg(pl.col('n').sum())\n"
NIGHTS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.lists(st.integers(-2, 9), min_size=1, max_size=4)),
    min_size=1,
    max_size=12,
)


@pytest.fixture
def sales(core_file: CoreFile) -> tuple[Any, Any, Any]:
    """Return the functions of bronze, silver and gold."""
    return (
        core_file("bronze_sales", EXTRACT).extract,
        core_file("silver_sales", TRANSFORM).transform,
        core_file("gold_sales", AGGREGATE).aggregate,
    )


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(nights=NIGHTS)
def test_random_runs_are_what_computing_all_again_would_be(
    sales: tuple[Any, Any, Any], nights: list[tuple[str, list[int]]]
) -> None:
    extract, transform, aggregate = sales
    data, kept = store(), dict[str, list[int]]()
    for asset in (BRONZE, SILVER):
        for chain in data.chains(asset):
            for snapshot in data.snapshots(chain):
                data.delete(snapshot)
    for day, numbers in nights:
        SOURCE[day] = numbers
        materialize(extract, [], partition=day)
        good = [number for number in numbers if number >= 0]
        try:
            materialize(transform, [BRONZE.at(day)], partition=day)
        except ContractBroken:
            assert len(good) * 2 < len(numbers)
        else:
            kept[day] = good
    if not kept:
        return
    assert {key: sorted(_numbers(key)) for key in data.partitions(SILVER)} == {
        day: sorted(numbers) for day, numbers in kept.items()
    }
    materialize(aggregate, [SILVER])
    found = dict(read("gold_sales").collect().iter_rows())
    assert found == {day: sum(numbers) for day, numbers in kept.items() if numbers}


def _numbers(key: str) -> list[int]:
    return read(f"silver_sales[{key}]").collect()["n"].to_list()


def test_an_asset_that_gets_or_loses_partitions_says_what_happens(core_file: CoreFile) -> None:
    SOURCE.clear()
    SOURCE.update({"a": [1], "b": [2, 3]})
    whole = core_file("bronze_sales", WHOLE).extract
    data = store()
    materialize(whole, [])
    with pytest.raises(AssetError, match=r"rows without partitions.* FIRST\.\.LAST --full-refresh"):
        keep_layout(data, BRONZE.at("a"), full_refresh=False)
    keep_layout(data, BRONZE.at("a"), full_refresh=True)
    parted = _with_partition(core_file)
    materialize(parted, [], partition="a")
    materialize(parted, [], partition="b")
    keep_layout(data, BRONZE.at("a"), full_refresh=False)
    assert read("bronze_sales").collect()["n"].to_list() == [1, 2, 3]
    assert len(data.snapshots(BRONZE)) == 1, "what was there before stays"
    with pytest.raises(AssetError, match=r"rows in 2 partitions.*--full-refresh"):
        materialize(whole, [])
    materialize(whole, [], full_refresh=True)
    assert read("bronze_sales").collect()["n"].to_list() == [1]
    assert sorted(data.partitions(BRONZE)) == ["a", "b"]


def _with_partition(core_file: CoreFile) -> Any:
    """Return the function of bronze_sales after partitions were added to it."""
    del sys.modules["core.bronze_sales"]
    return core_file("bronze_sales", EXTRACT).extract


def test_copies_and_retention_know_each_partition(
    sales: tuple[Any, Any, Any], project: Path
) -> None:
    extract, *_ = sales
    SOURCE.update({"a": [1], "x/y": [2]})
    for day in ("a", "x/y", "x/y"):
        materialize(extract, [], partition=day)
    data = store()
    other = type(data)(data.fs, f"{project.as_posix()}/other")
    wanted = list(files(data))
    assert len(wanted) == 3
    assert [copy(data, other, path) for path in wanted] == [True] * 3
    assert sorted(other.partitions(BRONZE)) == ["a", "x/y"]
    assert other.scan(other.latest(BRONZE)).collect()["n"].sort().to_list() == [1, 2]  # type: ignore[arg-type]
    snapshots = data.snapshots(BRONZE.at("x/y"))
    later = pl.select(pl.lit("2999-01-01").str.to_datetime(time_zone="UTC")).item()
    assert Retention(count=1).obsolete(snapshots, later) == snapshots[:1]


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("", ""),
        ("2026-01-01", " --partition 2026-01-01"),
        ("us y", " --partition 'us y'"),
        ("-x", " --partition=-x"),
    ],
)
def test_a_hint_names_a_partition_as_the_command_line_takes_it(
    key: str, options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asset = SILVER.at(key)
    arguments = argparse.Namespace(asset=str(asset), history=False, json=False, rows=10)
    assert preview.main(arguments) == 1
    said = capsys.readouterr().err
    assert said.endswith(f"hint: run it with  polster run --asset silver_sales{options}\n")
