"""A UI beside those of other projects: its runs, what is killed under it, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.generated.conftest import maker
from tests.generated.engine import COPY, assert_stopped, chains, moments
from tests.generated.projects import Generated, told
from tests.generated.ui import UI, end_of, launch, terminated, ui
from tests.generated.warm import TIMEOUT
from tests.quality.daemon import code_servers, processes_of, statuses, wait_for

pytestmark = pytest.mark.slow

FIRST_PORT = 3000
WAITING = 12
HOME = "state/dagster"
RUNS = "query { runsOrError { ... on Runs { results { runId status } } } }"
RETRIES = {"SOURCE_RETRIES": "3", "SOURCE_RETRY_SECONDS": "0.1"}
ENDS_SECONDS = 60.0
"""How long an interrupted run may take to end."""


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Generated:
    """Return a project whose history is elsewhere, with quick chains and sources that hang."""
    made = maker(tmp_path_factory.mktemp("ui"), runtime, templates)(samples=False)
    made.write({".env": f"DAGSTER_HOME={HOME}\n"})
    for number in range(WAITING):
        made.place(f"bronze_wait{number}", "meets_others")
    made.place("bronze_slow", "waits")
    chains(made, "a")
    made.place("bronze_hangs", "hangs")
    made.add("silver_hangs", COPY.format(function="transform"), ["bronze_hangs"])
    return made


@pytest.fixture(scope="module")
def one(shop: Generated) -> Iterator[UI]:
    """Return its UI; the first port is another's, if not that of another test."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours = False
        with suppress(OSError):
            other.bind(("127.0.0.1", FIRST_PORT))
            other.listen()
            ours = True
        with ui(shop, "--no-materialize", **RETRIES) as running:
            assert running.port > FIRST_PORT or not ours
            yield running


def test_a_port_of_its_own_and_all_runs_at_once(one: UI) -> None:
    assert one.shop.files("bronze_wait0") == [], "nothing ran"
    assert (f"(port {FIRST_PORT} is taken)" in one.said[-1]) is (one.port > FIRST_PORT)
    together = launch(one, *(f"bronze_wait{number}" for number in range(WAITING)))
    end_of(one, together, "SUCCESS")


def test_p8_dagster_home_in_the_env_file_counts_everywhere(one: UI) -> None:
    run_id = one.shop.json("--asset", "bronze_a")["run_id"]
    found = one.ask(RUNS)["runsOrError"]["results"]
    assert {"runId": run_id, "status": "SUCCESS"} in found
    assert one.shop.state("bronze_a") == "fresh"
    doctor = one.shop.python("-m", "polster_runtime", "doctor")
    assert f"ok       history: {HOME}, " in doctor.stdout, told(doctor)
    assert not (one.shop.root / ".dagster/history").exists()
    assert (one.shop.root / HOME / "ui/daemon.log").exists()


def test_r1_terminated_in_the_ui_at_any_moment(one: UI) -> None:
    """A moment after its source began to hang."""
    shop = one.shop
    slow, hangs = shop.root / "data/slow", shop.root / "data/hangs"
    slow.touch()
    for moment in moments(3, 2.0):
        hangs.unlink(missing_ok=True)
        assets = [f"{layer}_{name}" for layer in ("bronze", "silver") for name in ("a", "hangs")]
        run_id = launch(one, *assets)
        wait_for(hangs.exists)
        time.sleep(moment)
        told_at = time.time()
        run = terminated(one, run_id)
        assert run["status"] == "CANCELED"
        assert run["endTime"] - told_at < ENDS_SECONDS
        assert_stopped(shop, told_at)
        assert shop.files("silver_hangs") == []
    slow.unlink()
    done = shop.run("--select", "+silver_hangs")
    assert done.returncode == 0, told(done)


def test_s7_one_daemon_a_project(one: UI) -> None:
    """A second --ui is refused; what is killed is started again, or ends with its --ui."""
    shop = one.shop
    open_already(one)
    assert webserver_killed(one).startswith("the webserver has stopped and was started again: see ")
    wait_for(lambda: answers(one.address))
    left = code_servers(shop)
    one.process.kill()
    with ui(shop, "--no-materialize") as other:
        commands = " ".join(processes_of(shop).values())
        assert commands.count("ui_child daemon") == 1
        assert commands.count("ui_child webserver") == 1
        open_already(other)
        slow = launch(other, "bronze_slow")
        end_of(other, slow, "STARTED")
        other.process.send_signal(signal.SIGINT)
        rest, _ = other.process.communicate(timeout=TIMEOUT)
        assert (other.process.returncode, rest) == (0, "stopped\n")
    # The code server of a killed one ends when nobody has asked it for 45 seconds.
    assert processes_of(shop).keys() <= left
    assert shop.staged() == []
    assert statuses(shop, HOME)[0] in {"FAILURE", "CANCELED"}


def open_already(one: UI) -> None:
    """Try to open the UI of a project once more."""
    done = one.shop.run("--ui")
    assert (done.returncode, done.stdout) == (1, ""), told(done)
    said = f"error: the Dagster UI of this project is open already: {one.page}\n"
    assert done.stderr == said


def webserver_killed(one: UI) -> str:
    """Kill the webserver, and return what is said of that."""
    (pid,) = [
        pid for pid, command in processes_of(one.shop).items() if "ui_child webserver" in command
    ]
    os.kill(pid, signal.SIGKILL)
    assert one.process.stdout is not None
    return one.process.stdout.readline()


def answers(address: str) -> bool:
    """Return whether a webserver is there."""
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=60):  # noqa: S310
            return True
    except OSError:
        return False
