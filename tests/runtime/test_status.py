"""What --status and doctor say of assets: their data first, then Dagster's history."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest

from polster_runtime.assets.binding import function_of
from polster_runtime.cli import dagster_checks, doctor
from polster_runtime.dagster import main as commands
from polster_runtime.dagster import status
from polster_runtime.dagster.definitions import build_definitions
from polster_runtime.dagster.steps import Results, contract_check, drift_check
from polster_runtime.dagster.steps import materialize as step
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.materialize import materialize
from tests.runtime.conftest import CoreFile

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")

COPY = "def {}(df: pl.DataFrame) -> pl.DataFrame:\n    return df\n"
THREE = "def extract() -> pl.DataFrame:\n    return pl.DataFrame({'x': [1, 2, 3]})\n"


def asset(stem: str, deps: Sequence[str] = ()) -> dg.AssetsDefinition:
    """Return the Dagster side of an asset, as Polster writes it."""
    wanted = AssetId.parse(stem)
    check = (drift_check if wanted.layer == "bronze" else contract_check)(wanted.key)

    @dg.asset(
        name=wanted.key,
        group_name=wanted.layer,
        deps=[f"run_{one}" for one in deps],
        check_specs=[check],
    )
    def made(context: dg.AssetExecutionContext) -> Results:
        yield from step(context, function_of(wanted))

    return made


@pytest.fixture
def shop(home: Path, core_file: CoreFile) -> dg.Definitions:
    """Return bronze, silver and gold, one on top of the other; they have run."""
    core_file("bronze_a", THREE)
    core_file("silver_a", COPY.format("transform"))
    core_file("gold_a", COPY.format("aggregate"))
    assert home.is_dir()
    module = ModuleType("shop")
    vars(module)["bronze"] = asset("bronze_a")
    vars(module)["silver"] = asset("silver_a", ["bronze_a"])
    vars(module)["gold"] = asset("gold_a", ["silver_a"])
    definitions = build_definitions([module])
    assert run(definitions)
    return definitions


def run(definitions: dg.Definitions, *keys: str) -> bool:
    """Run assets, all unless some are named, and return whether they all succeeded."""
    job = definitions.resolve_job_def("all_assets")
    with dg.DagsterInstance.get() as instance:
        chosen = [dg.AssetKey(key) for key in keys] or None
        done = job.execute_in_process(
            instance=instance, asset_selection=chosen, raise_on_error=False
        )
    return done.success


def words(definitions: dg.Definitions) -> list[str]:
    """Return the status of each asset, bronze first."""
    return [one["status"] for one in status.states(definitions)]


def files(project: Path, folder: str) -> list[Path]:
    """Return the snapshots of an asset, the oldest first."""
    return sorted((project / "data" / folder).glob("*.parquet"))


def test_r5_deleted_data_is_missing(shop: dg.Definitions, project: Path) -> None:
    assert words(shop) == ["fresh", "fresh", "fresh"]
    for file in files(project, "silver/a"):
        file.unlink()
    shutil.rmtree(project / "data/gold/a")
    bronze, silver, gold = status.states(shop)
    assert [one["status"] for one in (bronze, silver, gold)] == ["fresh", "missing", "missing"]
    assert (silver["rows"], silver["last_materialized"]) == (None, None)
    assert silver["problem"] == "it has run, and its data is gone: polster run --asset silver_a"
    assert run(shop, "run_silver_a", "run_gold_a")
    assert words(shop) == ["fresh", "fresh", "fresh"]


def test_r5_unreadable_data_is_damaged(shop: dg.Definitions, project: Path) -> None:
    (file,) = files(project, "silver/a")
    whole = file.read_bytes()
    for content in (whole[:100], whole[:-1], b"", whole[:4] + bytes(len(whole))):
        file.write_bytes(content)
        bronze, silver, gold = status.states(shop)
        assert [one["status"] for one in (bronze, silver, gold)] == ["fresh", "damaged", "fresh"]
        assert silver["rows"] is None
        assert silver["problem"].startswith(f"data/silver/a/{file.name} is damaged (")
        assert silver["problem"].endswith("; delete it to go back to the snapshot before it")
        assert f"\nsilver_a: {silver['problem']}" in status.table([bronze, silver, gold])


def test_r5_without_its_history_a_project_knows_what_it_has(
    shop: dg.Definitions, project: Path
) -> None:
    before = status.states(shop)
    shutil.rmtree(project / ".dagster")
    (project / ".dagster").mkdir()
    assert status.states(shop) == before
    assert [one["rows"] for one in before] == [3, 3, 3]


def test_r5_what_failed_is_told_until_there_is_newer_data(shop: dg.Definitions) -> None:
    silver = function_of(AssetId("silver", "a"))
    working = silver.__code__
    silver.__code__ = (lambda df: df.no_such_thing).__code__
    assert not run(shop, "run_silver_a")
    assert words(shop) == ["fresh", "failed", "fresh"]
    silver.__code__ = working
    materialize(silver, [AssetId("bronze", "a")])  # a direct run, which Dagster hears nothing of
    assert words(shop) == ["fresh", "fresh", "stale"]


def test_r5_doctor_looks_at_the_data(
    shop: dg.Definitions, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "load", lambda: shop)
    assert [*doctor._assets()] == [dagster_checks.Check("assets", "ok", "3 fresh")]
    (bronze,), (silver,) = files(project, "bronze/a"), files(project, "silver/a")
    bronze.unlink()
    silver.write_bytes(b"")
    damaged, missing, told = doctor._assets()
    assert (damaged.name, damaged.status) == ("data: silver_a", "error")
    assert damaged.message.startswith(f"data/silver/a/{silver.name} is damaged")
    assert damaged.hint == "delete it to go back to the snapshot before it"
    assert missing == dagster_checks.Check(
        "data: missing",
        "warning",
        "bronze_a: the data is gone",
        "make it again:  python run_polster.py --asset bronze_a",
    )
    assert told.message == "1 missing, 1 damaged, 1 fresh"
