"""What only shows data never fails a run, whatever the value."""

import dagster as dg
import polars as pl
import pytest

from polster_runtime.cli import run_asset
from polster_runtime.dagster import main as commands
from polster_runtime.dagster import old_runs, results, status
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution import column_lineage, materialize, report
from polster_runtime.storage.registry import read
from tests.runtime.conftest import CoreFile
from tests.runtime.shops import definitions_of, ran

pytestmark = [
    pytest.mark.usefixtures("home"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]

FAR = """
from dagster import asset
import polars as pl

@asset
def bronze_far():
    far, days = 2**62, pl.Series([3_000_000, -3_000_000, None], dtype=pl.Int32)
    moments = pl.Series([far, -far, None])
    return pl.DataFrame({
        "date": days.cast(pl.Date),
        "moment": moments.cast(pl.Datetime("us")),
        "zoned": moments.cast(pl.Datetime("us", "Europe/Berlin")),
        "span": moments.cast(pl.Duration("us")),
        "list": days.cast(pl.Date).implode().new_from_index(0, 3),
        "text": ["a|b\\n```", "x" * 100_000, None],
        "bytes": [b"\\xff\\x00", b"", None],
        "float": [float("nan"), float("inf"), None],
        "big": pl.Series([2**126, -(2**126), None], dtype=pl.Int128),
    })
"""
WHOLE = """
from dagster import asset
import polars as pl

@asset
def bronze_a(): return pl.DataFrame({"x": [1]})

@asset
def silver_a(bronze_a): return bronze_a

@asset
def gold_a(silver_a): return silver_a
"""
OWN_KIND = """
import dagster as dg

@dg.asset(group_name="gold", deps=["silver_a"])
def run_gold_x() -> int: return 1

@dg.asset(group_name="gold", deps=["silver_a"])
def run_gold_y(): return {"path": 1}
"""


class UnshowableError(Exception):
    """What comes of showing something."""


def fail(*_: object, **__: object) -> None:
    """Fail as a display might."""
    raise UnshowableError("no such font")


def test_r6_any_value_can_be_published_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    shop = definitions_of(FAR)
    outcome = ran(shop)
    assert [(one["status"], one["rows"]) for one in outcome["assets"]] == [("succeeded", 3)]
    rows = read("bronze_far").collect()
    assert rows["date"].cast(pl.Int32).to_list() == [3_000_000, -3_000_000, None]
    with dg.DagsterInstance.get() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("bronze_far"))
    assert event is not None
    materialization = event.asset_materialization
    assert materialization is not None
    preview = materialization.metadata["preview"].value
    assert str(preview).count("\n") == 4
    commands._show_rows(outcome["assets"][0]["path"])
    assert "date" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("where", "name", "message"),
    [
        (results, "_markdown", "no preview in the Dagster UI"),
        (results, "table_schema", "no dagster/column_schema in the Dagster UI"),
        (old_runs, "_tidy", "old runs were not deleted: no such font"),
    ],
)
def test_r6_a_display_that_fails_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: object,
    name: str,
    message: str,
) -> None:
    monkeypatch.setattr(where, name, fail)
    outcome = ran(definitions_of(WHOLE), "bronze_a")
    assert (outcome["success"], outcome["assets"][0]["rows"]) == (True, 1)
    assert message in [record.getMessage() for record in caplog.records]


def test_r6_lineage_and_rows_that_cannot_be_told_fail_no_direct_run(
    core_file: CoreFile,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bronze = core_file("bronze_a", "def extract():\n    return pl.DataFrame({'x': [1]})\n")
    silver = core_file("silver_a", "def transform(df):\n    return df\n")
    monkeypatch.setattr(column_lineage, "lineage", fail)
    monkeypatch.setattr(report, "_table", fail)
    monkeypatch.setattr(materialize, "declared_upstream", lambda _: [])
    monkeypatch.setattr("sys.argv", ["bronze_a.py"])
    run_asset.main(bronze.extract)
    assert "the rows cannot be shown: UnshowableError: no such font" in capsys.readouterr().out
    upstream = [AssetId("bronze", "a")]
    assert materialize.materialize(silver.transform, upstream).rows == 1
    assert "no column lineage error=no such font" in capsys.readouterr().err


def test_r4_assets_of_ones_own_kind_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    shop = definitions_of(WHOLE, OWN_KIND)
    outcome = ran(shop)
    assert outcome["success"]
    commands._print_summary(outcome, 24)
    said = capsys.readouterr()
    assert "damaged" not in said.out + said.err
    assert {one["key"]: one["status"] for one in status.states(shop)} == dict.fromkeys(
        ("bronze_a", "silver_a", "gold_a", "run_gold_x", "run_gold_y"), "fresh"
    )
