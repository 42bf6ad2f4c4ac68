"""How runs go on and how they stop: what is interrupted, what is slow, what misbehaves."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from dataclasses import dataclass

import pytest

from tests.generated.conftest import MakeProject
from tests.generated.engine import (
    COPY,
    ONE,
    STOPS_SECONDS,
    assert_stopped,
    chains,
    moments,
)
from tests.generated.projects import ASSETS, Generated, told
from tests.generated.warm import TIMEOUT
from tests.quality.daemon import statuses, wait_for

ENDS_SECONDS = 60.0
"""How long an interrupted run may take to end."""


@pytest.fixture
def hanging(project: MakeProject) -> Generated:
    """Return a project with quick chains, and one whose source hangs."""
    shop = project(samples=False)
    chains(shop, "a", "b")
    shop.place("bronze_hangs", "hangs")
    shop.add("silver_hangs", COPY.format(function="transform"), ["bronze_hangs"])
    shop.write({"data/slow": ""})
    return shop


@dataclass
class Interrupted:
    """A run that was told to stop."""

    code: int
    output: str
    seconds: float


def interrupted(
    process: subprocess.Popen[str], number: signal.Signals, *, times: int = 1
) -> Interrupted:
    """Send a signal, perhaps once more a second later, and wait for the end."""
    began = time.time()
    for one in range(times):
        time.sleep(1 if one else 0)
        process.send_signal(number)
    output, _ = process.communicate(timeout=TIMEOUT)
    return Interrupted(process.returncode, output, time.time() - began)


@pytest.mark.slow
def test_r1_interrupted_at_any_moment(hanging: Generated) -> None:
    """From the terminal: Ctrl-C and SIGTERM, from the first look at the source on."""
    for number, moment in enumerate(moments(4, 1.5)):
        (hanging.root / "data/hangs").unlink(missing_ok=True)
        process = hanging.begin("run_polster.py")
        wait_for((hanging.root / "data/hangs").exists)
        time.sleep(moment)
        told_at, by = time.time(), (signal.SIGINT, signal.SIGTERM)[number % 2]
        done = interrupted(process, by)
        assert done.code == 130, f"{moment} {by}\n{done.output}"
        assert done.seconds < ENDS_SECONDS, f"{moment} {by}"
        assert "Traceback" not in done.output
        assert_stopped(hanging, told_at)
        assert hanging.files("silver_hangs") == []
    assert statuses(hanging) == ["FAILURE", "CANCELED"] * 2
    (hanging.root / "data/slow").unlink()
    done_again = hanging.run()
    assert done_again.returncode == 0, told(done_again)


def test_r1_a_second_ctrl_c_ends_at_once(hanging: Generated) -> None:
    process = hanging.begin("run_polster.py")
    wait_for((hanging.root / "data/hangs").exists)
    done = interrupted(process, signal.SIGINT, times=2)
    assert done.code == 130, done.output
    assert done.seconds < 1 + STOPS_SECONDS
    assert statuses(hanging) == ["CANCELED"]


def test_r1_what_waits_for_another_try_is_given_up(project: MakeProject) -> None:
    shop = project()
    shutil.copyfile(ASSETS / "flaky_source.py", shop.root / "src/core/bronze_customers.py")
    process = shop.begin(
        *("run_polster.py", "--asset", "customers"),
        env={"ERROR": "the source", "SOURCE_RETRIES": "3", "SOURCE_RETRY_SECONDS": "60"},
    )
    assert process.stdout
    while "trying again" not in process.stdout.readline():
        assert process.poll() is None
    done = interrupted(process, signal.SIGTERM)
    assert (done.code, statuses(shop)) == (130, ["FAILURE"])
    assert done.seconds < ENDS_SECONDS


def test_r2_quick_chains_do_not_wait_for_a_slow_source(hanging: Generated) -> None:
    process = hanging.start("run_polster.py")
    wait_for(lambda: all(hanging.files(f"gold_{name}") for name in "ab"))
    assert process.poll() is None, "the source is slow until its file is gone"
    (hanging.root / "data/slow").unlink()
    output, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, output
    assert output.index("gold_a") < output.index("bronze_hangs")


def test_a_step_that_calls_sys_exit_is_a_step_that_failed(project: MakeProject) -> None:
    shop = project(samples=False)
    chains(shop, "a")
    shop.add("bronze_exits", 'def extract() -> pl.DataFrame:\n    raise SystemExit("not today")')
    document = shop.json(code=1)
    line = shop.line_of("bronze_exits", "raise SystemExit")
    found = {one["name"]: (one["status"], one["error"]) for one in document["assets"]}
    assert found["exits"] == (
        "failed",
        f"src/core/bronze_exits.py:{line}: SystemExit: not today: an asset may not end the run",
    )
    assert {status for status, _ in found.values()} == {"failed", "succeeded"}


def test_a_step_that_forks_is_one_step(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.place("bronze_forks", "forks")
    shop.add("silver_forks", COPY.format(function="transform"), ["bronze_forks"])
    assert [one["rows"] for one in shop.json()["assets"]] == [1, 1]
    assert len((shop.root / "data/forked").read_text("utf-8").splitlines()) == 2
    assert shop.rows("silver_forks") == [{"id": 1}]
    assert statuses(shop) == ["SUCCESS"]


def test_a_step_may_print_a_lot(project: MakeProject) -> None:
    shop = project(samples=False)
    chains(shop, "a")
    shop.add("bronze_prints", ONE.replace("return", 'print("x" * 50_000_000)\n    return'))
    done = shop.run(cold=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 50_000_000
    assert "4 assets, 4 succeeded" in done.stdout
