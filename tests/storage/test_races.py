"""Two machines whose clocks differ, killed at any moment: no row lost, none twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engines.cluster import wait_until
from tests.generated import warm
from tests.generated.projects import Generated, popen, told
from tests.storage.azurite import Azurite, endpoint
from tests.storage.proxies import proxy

OUTAGES = int(os.environ.get("OUTAGES", "1"))
"""How often the cloud is away with each kind of fallback."""
PROGRAM = Path(__file__).parents[1] / "generated" / "programs" / "nights_of_one_machine.py"
HEAD = "from typing import Annotated\nfrom polster_runtime import Append, New, Touched, Upsert\n"
CONTRACT = """

class Contract(dy.Schema):
    {}
    customer = dy.Int64()
    {}


"""
ASSETS = {
    "bronze_log": (
        [],
        """
from pathlib import Path


def extract(position: list[str] | None):
    seen = position or []
    for file in sorted(Path("log").glob("*.parquet")):
        if file.name not in seen:
            yield pl.read_parquet(file)
            seen = [*seen, file.name]
    return seen
""",
    ),
    "silver_whole": (
        ["bronze_log"],
        "def transform(log: pl.LazyFrame) -> pl.LazyFrame:\n    return log.select(rows=pl.len())\n",
    ),
    "silver_latest": (
        ["bronze_log"],
        HEAD
        + CONTRACT.format("id = dy.Int64(primary_key=True)", "version = dy.Int64()")
        + """def transform(log: Annotated[pl.LazyFrame, Touched("id")]) -> Upsert:
    return log.sort("version").unique("id", keep="last", maintain_order=True)
""",
    ),
    "silver_new": (
        ["bronze_log"],
        HEAD + "\n\ndef transform(log: New) -> Append:\n    return log\n",
    ),
    "silver_seen": (
        ["bronze_log"],
        HEAD
        + CONTRACT.format("version = dy.Int64(primary_key=True)", "id = dy.Int64()")
        + "def transform(log: New) -> Upsert:\n    return log\n",
    ),
    "silver_guarded": (
        ["bronze_log"],
        HEAD
        + "\nMAX_REJECTED = 1.0\n"
        + CONTRACT.format("id = dy.Int64(min=10)", "version = dy.Int64()")
        + "def transform(log: New) -> Append:\n    return log\n",
    ),
    "gold_customers": (
        ["silver_latest"],
        HEAD
        + CONTRACT.format("orders = dy.UInt32()", "").replace("Int64()", "Int64(primary_key=True)")
        + """def aggregate(latest: Annotated[pl.LazyFrame, Touched("customer")]) -> Upsert:
    return latest.group_by("customer").agg(orders=pl.len())
""",
    ),
}


@pytest.fixture
def machines(shop: Generated) -> Generated:
    """Return a project with an asset of each kind over a log."""
    for stem, (upstream, code) in ASSETS.items():
        shop.add(stem, code, upstream)
    (shop.root / "log").mkdir()
    return shop


def start(shop: Generated, where: dict[str, str], name: str, nights: str) -> subprocess.Popen[str]:
    """Start the nights of one machine, forked off a warm Python."""
    python = warm.client(shop.interpreter, shop.interpreter, shop.root / "src")
    command = [*python, PROGRAM, name, nights]
    return popen(command, cwd=shop.root, env=shop.variables(where))


def _wait_for_start(shop: Generated, name: str) -> None:
    """Wait until a machine is at work."""
    wait_until((shop.root / f"{name}.pid").exists)


def _wait_for_nights(log: Path, number: int) -> None:
    """Wait until so many nights have begun."""
    deadline = time.monotonic() + 600
    while len([*log.glob("*.parquet")]) < number:
        assert time.monotonic() < deadline, "the machines do not get on"
        time.sleep(0.05)


def _kill(shop: Generated, name: str, process: subprocess.Popen[str]) -> None:
    """Kill a machine, which must have been at work; what stands in for it ends in the same way."""
    os.kill(int((shop.root / f"{name}.pid").read_text("utf-8")), signal.SIGKILL)
    said, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.parametrize(("backend", "nights"), [("local", 4), ("adls", 2)])
def test_two_machines_that_are_killed(
    machines: Generated, azurite: Azurite, backend: str, nights: int
) -> None:
    where = {"STORAGE_BACKEND": "local"}
    if backend == "adls":
        where = azurite.variables(azurite.create("races")) | {"ADLS_FALLBACK_TO_LOCAL": "true"}
    dice = random.Random(backend)  # noqa: S311 - a game, no secret
    with ExitStack() as stack:
        clocks = [where, where | {"AHEAD": "420"}]
        names = ["first", "second"]
        running = [
            stack.enter_context(start(machines, clock, name, "99"))
            for name, clock in zip(names, clocks, strict=True)
        ]
        for number in range(3):
            _wait_for_nights(machines.root / "log", nights * (number + 1))
            _wait_for_start(machines, names[number % 2])
            time.sleep(dice.random() / 2)  # somewhere in a night
            _kill(machines, names[number % 2], running[number % 2])
            names[number % 2] = f"{number}"
            running[number % 2] = stack.enter_context(
                start(machines, clocks[number % 2], f"{number}", "99")
            )
        _wait_for_nights(machines.root / "log", nights * 4)
        for name, process in zip(names, running, strict=True):
            _wait_for_start(machines, name)
            _kill(machines, name, process)
    _is_whole(machines, where, least=6 * nights * 4)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_nights_while_the_cloud_comes_and_goes(machines: Generated, azurite: Azurite) -> None:
    where, dice = azurite.variables(azurite.create("outages")), random.Random(7)  # noqa: S311
    log = machines.root / "log"
    with proxy(azurite.port) as between:
        where["ADLS_ENDPOINT"] = endpoint(between.port)
        for fallback in ("false", "true"):
            where["ADLS_FALLBACK_TO_LOCAL"] = fallback
            with start(machines, where, "alone", "999") as machine:
                for _ in range(OUTAGES):
                    _wait_for_nights(log, len([*log.glob("*.parquet")]) + 2)
                    time.sleep(dice.random() / 2)  # somewhere in a night
                    between.refusing = True
                    _wait_for_nights(log, len([*log.glob("*.parquet")]) + 1)
                    time.sleep(dice.random() / 2)
                    between.refusing = False
                _wait_for_nights(log, len([*log.glob("*.parquet")]) + 1)
                _kill(machines, "alone", machine)
            assert fallback == "true" or len([*log.glob("*.away")]) >= OUTAGES
        _is_whole(machines, where, least=6 * 6 * OUTAGES)
    waits = (machines.root / "data").glob("*/*/*.parquet")
    assert {path.parts[-3] for path in waits} <= {"samples"}, "all else is in the cloud again"


def _is_whole(machines: Generated, where: dict[str, str], *, least: int) -> None:
    """Check after one more night that each asset has what the log says, of so many changes."""
    last = machines.python(PROGRAM, "last", "0", env=where)
    assert last.returncode == 0, told(last)
    found = json.loads(last.stdout)
    log = found["log"]
    assert len(log) >= least
    assert found["bronze_log"] == found["silver_new"] == found["silver_seen"] == log
    assert found["silver_guarded"] == [row for row in log if row[1] >= 10]
    assert found["rejected"] == [row for row in log if row[1] < 10]
    assert found["silver_whole"] == [[len(log)]]
    whole = sorted((machines.root / "whole").read_text("utf-8").splitlines())
    counts = [int(line.split()[1]) for line in whole]
    assert counts == sorted(counts), "older rows have taken the place of newer ones"
    latest: dict[int, list[int]] = {}
    for row in sorted(log, key=lambda row: row[2]):
        latest[row[1]] = row
    assert found["silver_latest"] == sorted(latest.values())
    customers = [row[0] for row in latest.values()]
    each = sorted([customer, customers.count(customer)] for customer in set(customers))
    assert found["gold_customers"] == each
