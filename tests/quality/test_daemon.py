"""A real daemon: what starts by itself, what does not, and what is left when it is killed."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told
from tests.quality.daemon import (
    Daemon,
    Listener,
    code_servers,
    daemon,
    follow,
    followed,
    listening,
    statuses,
    wait_for,
)

TWO_LOOKS = 12.0
"""Seconds: a sensor looks every five at the most, whatever SENSOR_SECONDS says."""
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


def soon() -> str:
    """Return a cron that is due once a daemon has started, and then every third minute."""
    minute = datetime.now(UTC) + timedelta(seconds=90)
    return f"{minute.minute % 3}-59/3 * * * *"


def links(heard: Listener) -> list[str]:
    """Return the runs that alerts named."""
    return [line for line in heard.said().splitlines() if "/runs/" in line]


def test_gold_follows_bronze_and_what_fails_is_told_once(project: MakeProject) -> None:
    """R11: the project is loaded again when it has changed."""
    shop = project()
    shop.place("silver_failing", "fails_and_counts", ["bronze_example"])
    with listening(user=f"bot:{SECRET}@") as heard:
        urls = f"{DEAD.replace('//', f'//u:{SECRET}@')} {heard.url}"
        with daemon(shop, ALERT_URLS=urls, BRONZE_CRON=soon(), SENSOR_SECONDS="1"):
            wait_for(lambda: len(shop.files("gold_example")) > 0)
            ticks = len(shop.files("bronze_example"))
            wait_for(lambda: "silver_failing" in heard.said())
            own = shop.run("--asset", "silver_failing", env={"ALERT_URLS": urls})
            assert own.returncode == 1, told(own)
            shop.place("silver_added", "pid_of_silver", ["bronze_example"])
            wait_for(lambda: attempts(shop) >= ticks + 1)
            time.sleep(20)  # two looks of the sensor that tells
            wait_for(lambda: len(links(heard)) == attempts(shop))
            assert attempts(shop) <= len(shop.files("bronze_example")) + 1
            wait_for(lambda: len(shop.files("silver_added")) >= 1)
    assert "silver_failing: src/core/silver_failing.py:" in heard.said()
    assert "KeyError: 'the column is gone'" in heard.said()
    assert len(links(heard)) == len(set(links(heard)))
    logs = [path.read_text("utf-8") for path in (shop.root / ".dagster" / "ui").iterdir()]
    assert SECRET not in "".join([*logs, own.stdout, own.stderr])


@pytest.fixture
def slow(project: MakeProject) -> Generated:
    """Return a project whose silver asset takes for ever, as long as data/slow is there.

    The daemon looks after runs every two seconds, not every fifteen.
    """
    shop = project(samples=False)
    shop.edit(".dagster/dagster.yaml", "poll_interval_seconds: 15", "poll_interval_seconds: 2")
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


def held(shop: Generated) -> int:
    """Run bronze, hold what follows, and return the process in which the daemon runs that."""
    shop.write({"data/slow": ""})
    assert shop.run("--asset", "bronze_a").returncode == 0
    return started(shop)


def let_go(shop: Generated, files: int) -> None:
    """Let silver go on, and wait for a number of its snapshots."""
    (shop.root / "data" / "slow").unlink()
    wait_for(lambda: len(shop.files("silver_a")) == files)
    wait_for(lambda: statuses(shop)[0] == "SUCCESS")


def survives(running: Daemon, pid: int) -> None:
    """Insist that a run goes on while the daemon looks twice whether it does."""
    looks = running.log.count("Checking run ") + 3  # one may be under way
    wait_for(lambda: running.log.count("Checking run ") >= looks)
    assert Path(f"/proc/{pid}").exists()
    assert statuses(running.shop)[0] == "STARTED"


def test_s10_silver_follows_bronze_whatever_is_killed_meanwhile(slow: Generated) -> None:
    """A run, the code servers, the daemon, all of it; each run is told of once."""
    follow(slow)
    with listening() as heard:
        env = {"SENSOR_SECONDS": "1", "ALERT_URLS": heard.url}
        with daemon(slow, **env) as running:
            the_process_of_a_run_killed(slow, heard)
            an_upstream_that_runs_again_meanwhile_is_followed(slow)
            the_code_servers_killed(running)
            the_daemon_killed(running)
            each_run_was_told_of_once(slow, failed=1, others=8)
            assert len(heard.messages) == 1
            held(slow)
            running.kill()
            running.process.wait()
        assert statuses(slow)[0] == "STARTED"
        (slow.root / "data" / "slow").unlink()
        with daemon(slow, **env):
            wait_for(lambda: statuses(slow)[0] == "FAILURE")
            assert len(slow.files("silver_a")) == 4
            assert slow.run("--asset", "bronze_a").returncode == 0
            wait_for(lambda: len(slow.files("silver_a")) == 5)
            assert len(slow.rows("silver_a")) == 2
            wait_for(lambda: len(heard.messages) > 1)
    assert heard.said().count("silver_a: ") == 2


def the_process_of_a_run_killed(slow: Generated, heard: Listener) -> None:
    """Alerts and listeners hear of it, whoever started the runs."""
    os.kill(started(slow), signal.SIGKILL)
    wait_for(lambda: statuses(slow)[0] == "FAILURE")
    assert slow.files("silver_a") == []
    wait_for(lambda: "silver_a: " in heard.said())
    wait_for(lambda: "failed" in [what for what, *_ in followed(slow)])
    (failed,) = (rest for what, *rest in followed(slow) if what == "failed")
    assert heard.messages[0]["message"].splitlines() == [*reversed(failed)]


def an_upstream_that_runs_again_meanwhile_is_followed(slow: Generated) -> None:
    """Once."""
    held(slow)
    assert slow.run("--asset", "bronze_a").returncode == 0
    time.sleep(TWO_LOOKS)
    let_go(slow, 2)
    time.sleep(TWO_LOOKS)
    assert len(slow.files("silver_a")) == 2
    assert len(slow.rows("silver_a")) == 2


def the_code_servers_killed(running: Daemon) -> None:
    """See that the run which they have started goes on."""
    slow = running.shop
    pid = held(slow)
    for server in code_servers(slow) - {pid}:
        os.kill(server, signal.SIGKILL)
    survives(running, pid)
    let_go(slow, 3)


def the_daemon_killed(running: Daemon) -> None:
    """See that the run which it has started goes on."""
    slow = running.shop
    pid = held(slow)
    running.kill("polster_runtime.dagster.daemon")
    assert running.process.stdout
    assert "the daemon has stopped and was started again" in running.process.stdout.readline()
    survives(running, pid)
    let_go(slow, 4)


def each_run_was_told_of_once(slow: Generated, *, failed: int, others: int) -> None:
    """Insist that the listener of the project has heard how each run began and ended."""
    kinds = ["failed"] * failed + ["finished"] * others + ["started"] * (failed + others)
    wait_for(lambda: len(followed(slow)) >= len(kinds))
    pairs = [(what, run) for what, run, *_ in followed(slow)]
    assert sorted(what for what, _ in pairs) == kinds
    assert len(pairs) == len(set(pairs))
