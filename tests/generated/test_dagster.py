"""It is an ordinary Dagster project; and what it uses of Dagster's inside is still there."""

from __future__ import annotations

import json
from pathlib import Path

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told

STOCK = "telemetry: {enabled: false}\n"


def history(shop: Generated, config: str) -> list[object]:
    """Return what a Dagster instance says of the runs of a project."""
    done = shop.program("dagster_history", config)
    assert done.returncode == 0, told(done)
    found: list[object] = json.loads(done.stdout)
    return found


def test_what_the_stock_event_log_wrote_is_read(project: MakeProject) -> None:
    shop = project(files={".dagster/stock.yaml": STOCK})
    kept = (shop.root / ".dagster/dagster.yaml").read_text("utf-8")
    shop.write({".dagster/dagster.yaml": STOCK})
    assert shop.run().returncode == 0
    shop.write({".dagster/dagster.yaml": kept})
    assert history(shop, "dagster.yaml")[1:] == history(shop, "stock.yaml")[1:]
    assert shop.run().returncode == 0
    assert history(shop, "stock.yaml")[3] == [2, 2, 2, 2]


def test_engines_are_kept(project: MakeProject) -> None:
    """Should Dagster no longer ask for its connections where it did, runs would be slow again."""
    shop = project()
    assert shop.run().returncode == 0  # a new history makes some engines while it is laid out
    done = shop.program("count_engines")
    assert done.returncode == 0, told(done)
    assert int(done.stdout.splitlines()[-1]) <= 8  # the stock class makes more than a hundred


def test_without_what_it_is_built_on_the_stock_class_takes_over(ran: Generated) -> None:
    done = ran.program("stock_event_log")
    assert done.returncode == 0, told(done)
    kind, runs = done.stdout.split()
    assert kind == "SqliteEventLogStorage"
    assert int(runs) >= 1


def test_polars_still_does_what_the_storage_relies_on(ran: Generated, tmp_path: Path) -> None:
    """Both are marked experimental: footers after the last row, frames checked one by one."""
    done = ran.program("polars_promises", cwd=tmp_path)
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
        done = ran.program("automation_ticks", json.dumps(ticks))
        assert done.returncode == 0, told(done)
        assert json.loads(done.stdout) == requested


def test_dagster_materializes_it_by_itself(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.place("bronze_a", "pid_of_bronze")
    shop.place("silver_a", "pid_of_silver", ["bronze_a"])
    home = {"DAGSTER_HOME": str(shop.root / ".dagster"), "EXECUTOR": "multiprocess"}
    select = ("--select", "*", "-m", "orchestration.definitions")
    done = shop.tool("dagster", "asset", "materialize", *select, env=home)
    assert done.returncode == 0, told(done)
    pids = set((shop.root / "pids").read_text("utf-8").split())
    assert len(pids) == 2
    assert [len(shop.files(stem)) for stem in ("bronze_a", "silver_a")] == [1, 1]
    assert shop.run(env=home).returncode == 0
    assert shop.state("silver_a") == "fresh"
