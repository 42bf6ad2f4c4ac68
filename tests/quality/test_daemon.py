"""A real daemon: what starts by itself, what does not, and what is left when it is killed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told
from tests.quality.daemon import (
    Daemon,
    Listener,
    daemon,
    follow,
    followed,
    listening,
    statuses,
    wait_for,
)

TWO_LOOKS = 12.0
"""Seconds: a sensor looks every five at the most, whatever SENSOR_SECONDS says."""
LOADED_AGAIN = 75.0
"""Seconds after which Dagster by itself would load a project again."""
EACH_MINUTE = {"BRONZE_CRON": "* * * * *", "SENSOR_SECONDS": "1"}
SECRET = "hunter2"  # noqa: S105 - that it is never shown is what is tested
DEAD = "json://127.0.0.1:1/"

ROWS = """
def extract() -> pl.LazyFrame:
    return pl.LazyFrame({"id": [1, 2]})
"""


def attempts(shop: Generated) -> int:
    """Return how often the asset that fails was tried."""
    file = shop.root / "data" / "attempts"
    return len(file.read_text("utf-8")) if file.exists() else 0


def links(heard: Listener) -> list[str]:
    """Return the runs that alerts named."""
    return [line for line in heard.said().splitlines() if "/runs/" in line]


def code_servers(running: Daemon) -> set[int]:
    """Return the processes that have loaded the project, for webserver, daemon and their runs."""
    return {pid for pid, command in running.processes().items() if "dagster api grpc" in command}


def test_gold_follows_bronze_and_what_fails_is_told_once(project: MakeProject) -> None:
    """R11: the project is loaded again when it has changed, and only then."""
    shop = project()
    shop.place("silver_failing", "fails_and_counts", ["bronze_example"])
    with listening(user=f"bot:{SECRET}@") as heard:
        urls = f"{DEAD.replace('//', f'//u:{SECRET}@')} {heard.url}"
        with daemon(shop, ALERT_URLS=urls, **EACH_MINUTE) as running:
            wait_for(lambda: len(code_servers(running)) == 2)
            first, began = code_servers(running), time.monotonic()
            wait_for(lambda: len(shop.files("gold_example")) > 0)
            ticks = len(shop.files("bronze_example"))
            wait_for(lambda: "silver_failing" in heard.said())
            own = shop.run("--asset", "silver_failing", env={"ALERT_URLS": urls})
            assert own.returncode == 1, told(own)
            wait_for(lambda: attempts(shop) >= ticks + 1)
            time.sleep(20)  # two looks of the sensor that tells
            wait_for(lambda: len(links(heard)) == attempts(shop))
            assert attempts(shop) <= len(shop.files("bronze_example")) + 1
            # Dagster itself would have loaded it again.
            time.sleep(max(0.0, began + LOADED_AGAIN - time.monotonic()))
            assert first <= code_servers(running)
            shop.place("silver_added", "pid_of_silver", ["bronze_example"])
            wait_for(lambda: len(shop.files("silver_added")) >= 1)
    assert "silver_failing: src/core/silver_failing.py:" in heard.said()
    assert "KeyError: 'the column is gone'" in heard.said()
    assert len(links(heard)) == len(set(links(heard)))
    logs = [path.read_text("utf-8") for path in (shop.root / ".dagster" / "ui").iterdir()]
    assert SECRET not in "".join([*logs, own.stdout, own.stderr])


def test_automation_that_is_off_is_silent(project: MakeProject) -> None:
    shop = project()
    done = shop.run("--select", "layer:bronze")  # silver could start at once
    assert done.returncode == 0, told(done)
    before = sorted((shop.root / "data").rglob("*.parquet"))
    with daemon(shop, AUTOMATION_ENABLED="false", **EACH_MINUTE):
        time.sleep(60 - time.time() % 60 + 10)
        assert sorted((shop.root / "data").rglob("*.parquet")) == before
    assert statuses(shop) == ["SUCCESS"]


@pytest.fixture
def slow(project: MakeProject) -> Generated:
    """Return a project whose silver asset takes for ever, as long as data/slow is there."""
    shop = project(samples=False)
    shop.add("bronze_a", ROWS)
    shop.place("silver_a", "held_up", ["bronze_a"])
    done = shop.run("--asset", "bronze_a")
    assert done.returncode == 0, told(done)
    shop.write({"data/slow": ""})
    return shop


def started(shop: Generated) -> int:
    """Wait for the daemon to start silver, and return the process that it runs in."""
    file = shop.root / "data" / "pid"
    wait_for(lambda: file.exists() and file.read_text() != "")
    pid = int(file.read_text())
    file.unlink()
    return pid


def goes_on(shop: Generated) -> None:
    """Run bronze again: silver follows as if nothing had happened."""
    (shop.root / "data" / "slow").unlink(missing_ok=True)
    files = len(shop.files("silver_a"))
    assert shop.run("--asset", "bronze_a").returncode == 0
    wait_for(lambda: len(shop.files("silver_a")) > files)
    assert len(shop.rows("silver_a")) == 2


def test_all_of_it_killed_and_started_again(slow: Generated) -> None:
    with daemon(slow, SENSOR_SECONDS="1") as running:
        started(slow)
        running.kill()
        running.process.wait()
    assert slow.files("silver_a") == []
    assert statuses(slow)[0] == "STARTED"
    (slow.root / "data" / "slow").unlink()
    with daemon(slow, SENSOR_SECONDS="1"):
        wait_for(lambda: statuses(slow)[0] == "FAILURE")
        assert slow.files("silver_a") == []
        goes_on(slow)


def test_an_upstream_that_runs_again_meanwhile_is_followed(slow: Generated) -> None:
    with daemon(slow, SENSOR_SECONDS="1"):
        started(slow)
        assert slow.run("--asset", "bronze_a").returncode == 0
        time.sleep(TWO_LOOKS)
        (slow.root / "data" / "slow").unlink()
        wait_for(lambda: len(slow.files("silver_a")) == 2)
        time.sleep(TWO_LOOKS)
        assert len(slow.files("silver_a")) == 2, "once"


def test_the_process_of_a_run_killed(slow: Generated) -> None:
    """Alerts and listeners hear of it, and of each run once, whoever started it."""
    follow(slow)
    with listening() as heard, daemon(slow, SENSOR_SECONDS="1", ALERT_URLS=heard.url):
        os.kill(started(slow), signal.SIGKILL)
        wait_for(lambda: statuses(slow)[0] == "FAILURE")
        assert slow.files("silver_a") == []
        wait_for(lambda: "silver_a: " in heard.said())
        goes_on(slow)
        kinds = ["failed", *["finished"] * 2, *["started"] * 3]
        wait_for(lambda: len(followed(slow)) >= len(kinds))
    assert heard.said().count("silver_a: ") == 1
    told = followed(slow)
    (failed,) = (rest for what, *rest in told if what == "failed")
    assert heard.messages[0]["message"].splitlines() == [*reversed(failed)]
    pairs = [(what, run) for what, run, *_ in told]
    assert len(pairs) == len(set(pairs))
    assert sorted(what for what, _ in pairs) == kinds


def test_s10_the_code_servers_and_the_daemon_killed_while_runs_go_on(slow: Generated) -> None:
    with listening() as heard, daemon(slow, SENSOR_SECONDS="1", ALERT_URLS=heard.url) as running:
        pid = started(slow)
        for server, command in running.processes().items():
            if "api grpc" in command and server != pid:
                os.kill(server, signal.SIGKILL)
        time.sleep(40)  # two looks of the daemon after runs
        assert statuses(slow)[0] == "STARTED"
        (slow.root / "data" / "slow").unlink()
        wait_for(lambda: statuses(slow)[0] == "SUCCESS")
        assert len(slow.files("silver_a")) == 1
        goes_on(slow)
        wait_for(lambda: statuses(slow)[0] == "SUCCESS")
        slow.write({"data/slow": ""})
        assert slow.run("--asset", "bronze_a").returncode == 0
        the_daemon_killed(slow, running)
    assert heard.messages == []


def the_daemon_killed(slow: Generated, running: Daemon) -> None:
    """Kill it while the run that follows bronze is held up: the run goes on."""
    files = len(slow.files("silver_a"))
    pid = started(slow)
    running.kill("polster_runtime.dagster.daemon")
    assert running.process.stdout
    assert "the daemon has stopped and was started again" in running.process.stdout.readline()
    time.sleep(20)  # longer than it takes the daemon to look after runs
    assert Path(f"/proc/{pid}").exists()
    assert statuses(slow)[0] == "STARTED"
    (slow.root / "data" / "slow").unlink()
    wait_for(lambda: statuses(slow)[0] == "SUCCESS")
    assert len(slow.files("silver_a")) == files + 1
    goes_on(slow)
