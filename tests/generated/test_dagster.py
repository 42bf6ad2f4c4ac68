"""It is an ordinary Dagster project; and what it uses of Dagster's inside is still there."""

from __future__ import annotations

import json
from pathlib import Path

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told

STOCK = "telemetry: {enabled: false}\n"

HISTORY = """
import json, os, sys
import dagster as dg
os.environ["DAGSTER_HOME"] = os.path.abspath(".dagster")
with dg.DagsterInstance.from_config(os.environ["DAGSTER_HOME"], sys.argv[1]) as instance:
    found = {}
    for run in instance.get_runs():
        logs = instance.all_logs(run.run_id)
        found[run.run_id] = [run.status.value, [log.message for log in logs]]
    keys = sorted(instance.all_asset_keys())
    latest = [instance.get_latest_materialization_event(key).timestamp for key in keys]
    records = [len(instance.fetch_materializations(key, limit=99).records) for key in keys]
    checks = [
        instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(key, name), limit=9
        )
        for key in keys for name in ("contract", "drift")
    ]
    states = [[record.status.value for record in history] for history in checks]
    kind = type(instance.event_log_storage).__name__
print(json.dumps([kind, found, latest, records, states]))
"""

COUNT_ENGINES = """
import runpy, sqlalchemy, sys
made = []
create = sqlalchemy.create_engine
def counted(url, *args, **kwargs):
    made.append(str(url))
    return create(url, *args, **kwargs)
for module in (sqlalchemy, sqlalchemy.engine):
    module.create_engine = counted
sys.argv = ["run_polster.py"]
try:
    runpy.run_path("run_polster.py", run_name="__main__")
except SystemExit as end:
    assert end.code == 0
print(sum("/history/runs/" in url for url in made))
"""

TICKS = """
import json, sys
import dagster as dg
from orchestration.definitions import defs

loaded, cursor, counts = defs(), None, []
with dg.DagsterInstance.ephemeral() as instance:
    for tick in json.loads(sys.argv[1]):
        for key in tick:
            instance.report_runless_asset_event(dg.AssetMaterialization(key))
        looked = dg.evaluate_automation_conditions(loaded, instance, cursor=cursor)
        cursor = looked.cursor
        counts.append(looked.get_num_requested(dg.AssetKey("run_silver_example")))
print(json.dumps(counts))
"""

FALL_BACK = """
import os, sys
import dagster as dg
from polster_runtime.dagster import event_log
event_log.BUILT_ON = {*event_log.BUILT_ON, "a_method_that_is_gone"}
os.environ["DAGSTER_HOME"] = os.path.abspath(".dagster")
with dg.DagsterInstance.get() as instance:
    print(type(instance.event_log_storage).__name__, len(instance.get_runs()))
"""

POLARS = """
import polars as pl
from polars.io.plugins import register_io_source

seen = []
def frames(with_columns, predicate, n_rows, batch_size):
    for number in range(50):
        seen.append(number)
        yield pl.DataFrame({"id": [number] * 1000})
def asked(_):
    return {"seen": str(len(seen))}
source = register_io_source(frames, schema={"id": pl.Int64}, validate_schema=True)
source.sink_parquet("t.parquet", metadata=asked)
print(pl.read_parquet_metadata("t.parquet")["seen"], pl.scan_parquet("t.parquet").collect().height)

def wrong(with_columns, predicate, n_rows, batch_size):
    yield pl.DataFrame({"id": [1]})
    yield pl.DataFrame({"id": [2], "more": [3]})
try:
    source = register_io_source(wrong, schema={"id": pl.Int64}, validate_schema=True)
    source.sink_parquet("u.parquet")
except pl.exceptions.SchemaError as error:
    print("refused")
"""

PRINT_PID = """
import os

def FUNCTION(PARAMETERS) -> pl.DataFrame:
    with open("pids", "a") as file:
        file.write(f"{os.getpid()}\\n")
    return pl.DataFrame({"id": [1]})
"""


def history(shop: Generated, config: str) -> list[object]:
    """Return what a Dagster instance says of the runs of a project."""
    done = shop.python("-c", HISTORY, config)
    assert done.returncode == 0, told(done)
    found: list[object] = json.loads(done.stdout)
    return found


def test_what_the_stock_event_log_wrote_is_read(project: MakeProject) -> None:
    shop = project(files={".dagster/stock.yaml": STOCK})
    kept = (shop.root / ".dagster/run_polster.yaml").read_text("utf-8")
    shop.write({".dagster/run_polster.yaml": STOCK})
    assert shop.run().returncode == 0
    assert history(shop, "dagster.yaml")[1:] == history(shop, "stock.yaml")[1:]
    shop.write({".dagster/run_polster.yaml": kept})
    assert shop.run().returncode == 0
    assert history(shop, "stock.yaml")[3] == [2, 2, 2, 2]


def test_engines_are_kept(project: MakeProject) -> None:
    """Should Dagster no longer ask for its connections where it did, runs would be slow again."""
    done = project().python("-c", COUNT_ENGINES)
    assert done.returncode == 0, told(done)
    assert int(done.stdout.splitlines()[-1]) <= 8  # the stock class makes more than a hundred


def test_without_what_it_is_built_on_the_stock_class_takes_over(ran: Generated) -> None:
    done = ran.python("-c", FALL_BACK)
    assert done.returncode == 0, told(done)
    kind, runs = done.stdout.split()
    assert kind == "SqliteEventLogStorage"
    assert int(runs) >= 1


def test_polars_still_does_what_the_storage_relies_on(ran: Generated, tmp_path: Path) -> None:
    """Both are marked experimental: footers after the last row, frames checked one by one."""
    done = ran.python("-c", POLARS, cwd=tmp_path)
    assert done.returncode == 0, told(done)
    assert done.stdout.split() == ["50", "50000", "refused"]


def test_an_asset_follows_what_ran_after_it(ran: Generated) -> None:
    """Also when it ended in between; what ran before it is in it already."""
    upstream = ["run_bronze_example", "run_bronze_customers"]
    silver, bronze = "run_silver_example", upstream[0]
    for ticks, requested in (
        ([[], upstream, [silver], [bronze], [], [silver]], [0, 1, 0, 1, 0, 0]),
        ([[], [*upstream, silver], [silver, bronze], [], [silver], []], [0, 0, 1, 0, 0, 0]),
        ([[], [*upstream, silver], [bronze, silver], []], [0, 0, 0, 0]),
    ):
        done = ran.python("-c", TICKS, json.dumps(ticks))
        assert done.returncode == 0, told(done)
        assert json.loads(done.stdout) == requested


def test_dagster_materializes_it_by_itself(project: MakeProject) -> None:
    shop = project(samples=False)
    for layer, function, name in (("bronze", "extract", ""), ("silver", "transform", "df")):
        code = PRINT_PID.replace("FUNCTION", function).replace("PARAMETERS", name)
        shop.add(f"{layer}_a", code, ["bronze_a"] if name else [])
    home = {"DAGSTER_HOME": str(shop.root / ".dagster"), "EXECUTOR": "multiprocess"}
    select = ("--select", "*", "-m", "orchestration.definitions")
    done = shop.tool("dagster", "asset", "materialize", *select, env=home)
    assert done.returncode == 0, told(done)
    pids = set((shop.root / "pids").read_text("utf-8").split())
    assert len(pids) == 2
    assert [len(shop.files(stem)) for stem in ("bronze_a", "silver_a")] == [1, 1]
    assert shop.run(env=home).returncode == 0
    assert shop.state("silver_a") == "fresh"
