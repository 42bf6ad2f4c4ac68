"""`polster add-asset --partition` and `backfill`, and what validate and lists say of partitions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polster_core.project.locate import Project
from tests.handmade import polster, shop, write_project

BRONZE = ("add-asset", "--layer", "bronze", "--name", "days")
SILVER = ("add-asset", "--layer", "silver", "--name", "days")
DAILY = ("--partition", "daily", "--start", "2026-01-01")
SOON = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None).isoformat()
FILE = "src/orchestration/partitions.py"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path / "shop", shop({"bronze_whole": []}))


def definitions(project: Project) -> list[str]:
    """Return the definitions of partitions."""
    return (project.root / FILE).read_text("utf-8").splitlines()[4:]


@pytest.mark.parametrize(
    ("given", "definition", "key"),
    [
        (DAILY, 'daily = dg.DailyPartitionsDefinition(start_date="2026-01-01")', "2026-01-01"),
        (
            ("--partition", "hourly", "--start", "2026-01-01T05:00"),
            'hourly = dg.HourlyPartitionsDefinition(start_date="2026-01-01-05:00")',
            "2026-01-01-05:00",
        ),
        (
            ("--partition", "eu, us/ca"),
            'days_partitions = dg.StaticPartitionsDefinition(["eu", "us/ca"])',
            "eu",
        ),
    ],
)
def test_bronze_takes_a_partition(
    project: Project, given: tuple[str, ...], definition: str, key: str
) -> None:
    ran = polster(project.root, *BRONZE, *given)
    assert ran.code == 0, ran.err
    assert definitions(project) == [definition]
    name = definition.partition(" ")[0]
    dagster = (project.root / "src/orchestration/assets/bronze/run_bronze_days.py").read_text()
    assert f"from orchestration.partitions import {name}\n" in dagster
    assert f"    partitions_def={name},\n" in dagster
    core = (project.root / "src/core/bronze_days.py").read_text("utf-8")
    assert "def extract(partition: str) -> pl.LazyFrame:" in core
    assert f'extract("{key}")' in (project.root / "tests/test_bronze_days.py").read_text("utf-8")


def test_the_same_partitions_are_defined_once(project: Project) -> None:
    for name in ("a", "b"):
        ran = polster(project.root, "add-asset", "--layer", "bronze", "--name", name, *DAILY)
        assert ran.code == 0, ran.err
    other = ("--partition", "daily", "--start", "2026-02-01")
    assert polster(project.root, "add-asset", "--layer", "bronze", "--name", "c", *other).code == 0
    assert [line.partition(" ")[0] for line in definitions(project)] == ["daily", "daily_c"]


def test_silver_has_those_of_its_upstream_and_lists_show_them(project: Project) -> None:
    assert polster(project.root, *BRONZE, *DAILY).code == 0
    assert polster(project.root, *SILVER, "--partition", "daily").code == 0
    assert "silver  days [daily]  days" in polster(project.root, "list-assets").out
    assert "silver_days [daily]" in polster(project.root, "lineage").out
    file = project.root / "src/orchestration/assets/silver/run_silver_days.py"
    assert "    partitions_def=daily,\n" in file.read_text("utf-8")
    rules = polster(project.root, "validate").out
    assert "partitions" not in rules
    bronze = project.root / "src/orchestration/assets/bronze/run_bronze_days.py"
    bronze.write_text(bronze.read_text("utf-8").replace("    partitions_def=daily,\n", ""))
    found = polster(project.root, "validate").out
    assert "silver_days has partitions, and bronze_days has none" in found
    assert "extract() takes partition, and bronze_days has none" in found


def test_other_partitions_than_those_upstream_are_refused(project: Project) -> None:
    assert polster(project.root, *BRONZE, "--partition", "eu,us").code == 0
    assert polster(project.root, *SILVER, "--partition", "eu, us").code == 0
    for other in ("eu,asia", "us,eu", "daily"):
        name = ("--name", "other", "--dependencies", "days")
        ran = polster(project.root, *SILVER[:3], *name, "--partition", other)
        assert ran.code == 2, ran.out
        assert "bronze_days has other partitions: dg.StaticPartitionsDefinition(['eu'," in ran.err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((*BRONZE, "--partition", "daily"), "daily partitions need a start"),
        ((*BRONZE, "--partition", "daily", "--start", "soon"), "--start soon is no date"),
        ((*BRONZE, "--partition", "daily", "--start", "2999-01-01"), "is in the future"),
        (
            (*BRONZE, "--partition", "hourly", "--start", SOON),
            "is in the future",
        ),
        (
            (*BRONZE, "--partition", "daily", "--start", "2026-01-01T00:00+02:00"),
            "has a time zone, and the partitions would be those of UTC",
        ),
        (
            (*BRONZE, "--partition", "daily", "--start", "2026-01-01T13:30"),
            "hint: --start 2026-01-01\n",
        ),
        (
            (*BRONZE, "--partition", "hourly", "--start", "2026-01-01T13:30"),
            "hint: --start 2026-01-01T13:00\n",
        ),
        (
            (*BRONZE, "--partition", "weekly", "--start", "2026-01-01"),
            "hint: --start 2025-12-28\n",
        ),
        (
            (*BRONZE, "--partition", "monthly", "--start", "2026-01-15"),
            "hint: --start 2026-01-01\n",
        ),
        ((*BRONZE, "--partition", "daily", "--start", "0001-01-01"), "at most 100,000 are"),
        ((*BRONZE, "--partition", f"{'é' * 40},b"), "is too long for the name of a folder"),
        ((*BRONZE, "--partition", "a\tb,c"), "is neither hourly, daily"),
        ((*BRONZE, "--partition", "yearly"), "--partition yearly is neither hourly, daily"),
        ((*BRONZE, "--partition", "eu,EU"), "names must differ in more than case"),
        (
            (*BRONZE, "--partition", "eu,us", "--start", "2026-01-01"),
            "--start is for partitions of",
        ),
        ((*BRONZE, "--start", "2026-01-01"), "--start needs --partition"),
        (
            (*BRONZE, *DAILY, "--template", "csv", "--path", "x.csv"),
            "--partition goes with functions of your own",
        ),
        (
            (*SILVER, "--dependencies", "whole", "--partition", "daily"),
            "bronze_whole has no partitions, and silver_days would have those of what it depends",
        ),
        (("backfill", "whole"), "bronze_whole has no partitions"),
    ],
)
def test_partitions_that_cannot_be_are_refused(
    project: Project, given: tuple[str, ...], message: str
) -> None:
    ran = polster(project.root, *given)
    assert ran.code == 2, ran.err
    assert message in ran.err
    assert not (project.root / FILE).exists()
