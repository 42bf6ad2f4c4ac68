"""Ctrl-C, SIGTERM and kill -9: no half snapshot, no staged file, no run that never ends."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pexpect
import pytest

from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told
from tests.quality.daemon import TIMEOUT, listening, statuses, wait_for

INTERRUPTED = "error: interrupted; what was published before stays"

UNDER_WAY = 2.0
"""Seconds after which the work has begun, as it has when a person gives up."""


@pytest.fixture(params=["generator", "query"])
def slow(project: MakeProject, request: pytest.FixtureRequest) -> Generated:
    """Return a project that has run once, quickly; it says "half way" and goes on for long."""
    shop = project(samples=False)
    shop.place("bronze_a", "slow_generator" if request.param == "generator" else "thousand_rows")
    if request.param == "query":
        shop.place("silver_a", "slow_query", ["bronze_a"])
    done = shop.run(env={"NAP": "0"})
    assert done.returncode == 0, told(done)
    return shop


def in_terminal(shop: Generated, *args: str) -> pexpect.spawn[str]:
    """Start run_polster.py in a terminal."""
    command = args or ("run_polster.py",)
    env = shop.variables()
    return pexpect.spawn(
        str(shop.interpreter),
        list(command),
        cwd=shop.root,
        env=env,
        encoding="utf-8",
        timeout=TIMEOUT,
    )


def files(shop: Generated) -> list[Path]:
    """Return all snapshots."""
    return sorted((shop.root / "data").glob("*/*/*.parquet"))


def assert_nothing_is_left(shop: Generated, before: list[Path]) -> None:
    """Only whole snapshots, beside those from before; no staged file."""
    assert shop.staged() == []
    assert set(before) <= set(files(shop))
    for path in set(files(shop)) - set(before):
        assert path.read_bytes()[-4:] == b"PAR1"


def test_ctrl_c_in_a_terminal(slow: Generated) -> None:
    before = files(slow)
    child = in_terminal(slow)
    child.expect("half way")
    time.sleep(UNDER_WAY)
    child.sendintr()
    child.expect(pexpect.EOF)
    child.wait()
    child.close()
    assert child.exitstatus == 130, child.before
    assert child.before.rstrip().endswith(INTERRUPTED)
    assert "Traceback" not in child.before
    assert_nothing_is_left(slow, before)
    assert statuses(slow) in (["FAILURE", "SUCCESS"], ["CANCELED", "SUCCESS"])
    assert slow.state(files(slow)[-1].parent.parent.name + "_a") == "failed"
    done = slow.run(env={"NAP": "0"})
    assert done.returncode == 0, told(done)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_from_outside(project: MakeProject, number: signal.Signals) -> None:
    shop = project(samples=False)
    shop.place("bronze_a", "slow_generator")
    process = shop.begin("run_polster.py")
    wait_for(lambda: len(shop.staged()) > 0)
    process.send_signal(number)
    output, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130, output
    assert output.rstrip().endswith(INTERRUPTED)
    assert_nothing_is_left(shop, [])
    assert statuses(shop) in (["FAILURE"], ["CANCELED"])


@pytest.mark.slow
def test_ctrl_c_at_any_moment(project: MakeProject) -> None:
    """From the first import of the runtime to the last of the run: each is a line of output."""
    shop = project()
    command = ("-X", "importtime", "run_polster.py")
    output, _ = shop.start(*command).communicate(timeout=TIMEOUT)
    imports = output.splitlines()
    (begun, *_) = (n for n, line in enumerate(imports) if line.endswith(" polster_runtime"))
    dice = random.Random(5)  # noqa: S311 - moments, not secrets
    for moment in sorted(dice.randrange(begun, len(imports)) for _ in range(4)):
        process = shop.start(*command)
        assert process.stdout
        for _ in range(moment):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=TIMEOUT)
        # A shell calls both 130; the second is Ctrl-C while Python itself ends.
        assert process.returncode in {0, 130, -signal.SIGINT}, f"{moment}\n{output}"
        assert "Traceback" not in output, f"{moment}\n{output}"
        assert_nothing_is_left(shop, [])
    assert not {"STARTED", "NOT_STARTED"} & {*statuses(shop)}
    assert shop.run().returncode == 0


def test_a_killed_run_is_not_shown_as_running(project: MakeProject) -> None:
    shop = project(samples=False)
    shop.place("bronze_a", "slow_generator")
    process = shop.start("run_polster.py")
    wait_for(lambda: len(shop.staged()) > 0)
    process.kill()
    process.communicate()
    assert files(shop) == []
    with listening() as heard:  # no daemon tells of it: the next run does
        for _ in range(2):
            done = shop.run(env={"NAP": "0", "ALERT_URLS": heard.url})
            assert done.returncode == 0, told(done)
    assert statuses(shop) == ["SUCCESS", "SUCCESS", "FAILURE"]
    (message,) = heard.messages
    assert message["title"] == "[dev] run failed"
    assert message["message"].startswith("bronze_a: the process of this run was killed\n")
    assert shop.state("bronze_a") == "fresh"


def test_ctrl_c_in_a_direct_run(slow: Generated) -> None:
    before = files(slow)
    stem = f"{before[-1].parent.parent.name}_a"
    child = in_terminal(slow, f"src/core/{stem}.py")
    child.expect("half way")
    time.sleep(UNDER_WAY)
    child.sendintr()
    child.expect(pexpect.EOF)
    child.wait()
    child.close()
    assert child.exitstatus == 130, (child.before, child.signalstatus)
    assert child.before.rstrip().endswith(INTERRUPTED)
    assert "Traceback" not in child.before
    assert_nothing_is_left(slow, before)


def test_what_killed_runs_left_is_swept(project: MakeProject) -> None:
    shop = project()
    assert shop.run().returncode == 0
    for name in ("7-x.parquet", "7-x.evaluated"):
        (shop.root / "data/.staging" / name).write_text("half")
    for path in (shop.root / "data/.staging").rglob("*"):
        two_days_ago(path)
    assert shop.run().returncode == 0
    assert shop.staged() == []


def two_days_ago(path: Path) -> None:
    """Make a file look old."""
    import os

    when = time.time() - 48 * 3600
    os.utime(path, (when, when))
