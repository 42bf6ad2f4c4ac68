"""Dagster's history in a project: PostgreSQL for all of it, and one line for all that is wrong."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests import machine
from tests.generated.conftest import MakeProject, also
from tests.generated.projects import Generated, told
from tests.generated.ui import UI, end_of, launch, ui
from tests.postgres import PASSWORD, Server, running
from tests.quality.daemon import wait_for

pytestmark = pytest.mark.slow

RUNS = "query { runsOrError { ... on Runs { results { runId status } } } }"
DAEMON = """
query { instance { daemonHealth { allDaemonStatuses { daemonType healthy required } } } }
"""


@pytest.fixture(scope="module")
def server(runtime: Path) -> Iterator[Server]:
    """Return a PostgreSQL, and its package in the project's Python."""
    also(runtime, "postgres", "dagster-postgres>=0.29,<0.30")
    with running() as started:
        started.query("CREATE DATABASE dagster")
        yield started


def runs_in(one: UI) -> dict[str, str]:
    """Return the runs that the UI shows."""
    found = one.ask(RUNS)["runsOrError"]["results"]
    return {run["runId"]: run["status"] for run in found}


def test_p7_terminal_ui_daemon_and_status_agree(project: MakeProject, server: Server) -> None:
    shop = project()
    with (shop.root / ".env").open("a", encoding="utf-8") as env:
        env.write(f"\nDAGSTER_POSTGRES_URL='{server.url('dagster')}'\n")
    first = shop.json()["run_id"]
    assert {one["status"] for one in shop.json("--status")["assets"]} == {"fresh"}
    with ui(shop, "--no-materialize") as one:
        assert runs_in(one) == {first: "SUCCESS"}
        second = launch(one, "bronze_example", "silver_example")  # the daemon launches it
        end_of(one, second, "SUCCESS")
        third = shop.json("--asset", "gold_example")["run_id"]
        assert runs_in(one) == dict.fromkeys((first, second, third), "SUCCESS")

        def lives() -> bool:
            health = one.ask(DAEMON)["instance"]["daemonHealth"]["allDaemonStatuses"]
            return all(each["healthy"] for each in health if each["required"])

        wait_for(lives)
        doctor = shop.python("-m", "polster_runtime", "doctor")
        assert "ok       daemon: it runs" in doctor.stdout, told(doctor)
    assert server.query("SELECT status FROM runs", "dagster") == [("SUCCESS",)] * 3
    assert f"history: PostgreSQL ann@127.0.0.1:{server.port}/dagster, " in doctor.stdout
    assert not (shop.root / ".dagster" / "history").exists()
    for file in (path for path in (shop.root / ".dagster").rglob("*") if path.is_file()):
        assert PASSWORD not in file.read_text("utf-8", errors="replace"), file
        assert server.url("dagster") not in file.read_text("utf-8", errors="replace"), file
    assert PASSWORD not in doctor.stdout + doctor.stderr


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the only line of an error, whose exit code is right."""
    assert done.returncode == 1, told(done)
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    return line


def everywhere(shop: Generated, line: str) -> None:
    """Insist that run, --status, --ui and doctor say the same, and that the data is untouched."""
    before = shop.files("bronze_example")
    kept = line.replace(";", " (what was published stays);", 1)
    assert one_line(shop.run("--asset", "bronze_example")) == f"error: {kept}"
    for args in (("--status",), ("--no-materialize", "--ui")):
        assert one_line(shop.run(*args)) == f"error: {line}"
    doctor = shop.python("-m", "polster_runtime", "doctor", "--json")
    assert doctor.returncode == 1
    checks = {check["name"]: check for check in json.loads(doctor.stdout)["checks"]}
    assert checks["history"]["status"] == "error"
    assert "; ".join((checks["history"]["message"], checks["history"]["hint"])) == line
    assert checks["daemon"]["status"] == "skipped"
    assert checks["storage: read"]["status"] == "ok"
    assert shop.files("bronze_example") == before


def test_s8_a_damaged_history_is_a_line_everywhere(project: MakeProject) -> None:
    shop = project()
    assert shop.run().returncode == 0
    file = shop.root / ".dagster/history/runs.db"
    file.write_bytes(b"no database" * 1000)
    everywhere(
        shop,
        "Dagster's history in .dagster: .dagster/history/runs.db is damaged, or is no database; "
        "move .dagster/history/runs.db away: the next run begins a new history, the data stays as "
        "it is",
    )
    file.rename(shop.root / "away.db")
    assert shop.run().returncode == 0


def test_s8_without_a_server_it_is_a_line_everywhere(project: MakeProject, server: Server) -> None:
    shop = project()
    assert shop.run().returncode == 0
    with (shop.root / ".env").open("a", encoding="utf-8") as env:
        env.write(f"\nDAGSTER_POSTGRES_URL='{server.url('dagster', 'wr:ng s3cret')}'\n")
    everywhere(
        shop,
        f"Dagster's history in PostgreSQL ann@127.0.0.1:{server.port}/dagster: the password is "
        "wrong; change DAGSTER_POSTGRES_URL",
    )


def test_s8_a_disk_that_fills_up_during_a_run(project: MakeProject) -> None:
    """What was published stays, and that is said; the next run is as usual."""
    shop = project()
    assert shop.run().returncode == 0
    shutil.rmtree(shop.root / ".dagster/history")
    limit = machine.no_file_longer_than(130_000)  # of a file: the log of the run is longer
    done = shop.run("--asset", "bronze_customers", setup=limit)
    assert one_line_of_history(done).startswith(
        "error: Dagster's history in .dagster: the disk is full"
    )
    assert len(shop.files("bronze_customers")) in {1, 2}
    assert shop.run().returncode == 0
    assert {one["status"] for one in shop.json("--status")["assets"]} == {"fresh"}


def one_line_of_history(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a run said of the history, beside its progress."""
    assert done.returncode == 1, told(done)
    assert "Traceback" not in done.stdout + done.stderr, told(done)
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    (line,) = [line for line in lines if "history" in line]
    return line


def test_r8_a_project_has_no_logs_left_after_a_run(project: MakeProject) -> None:
    shop = project()
    assert shop.run().returncode == 0
    left = list((shop.root / ".dagster").rglob("*-wal"))
    assert left == []
    with closing(sqlite3.connect(shop.root / ".dagster/history/runs/index.db")) as link:
        assert link.execute("PRAGMA integrity_check").fetchone() == ("ok",)
