"""Steps on Dask or Celery while processes are killed and a host is cut off, at random moments.

    python bench/engine_faults.py dask --rounds 20 [--faults worker,hub] [--seed 1]

Each round runs some chains and an asset that reads only what is new, and lets one thing go wrong:
`step` and `worker` are kill -9, `hub` is that of the scheduler or broker, `postgres` that of the
history; each comes back. `cut` takes the network from one of the two workers for 20 seconds,
`gone` for as long as the run lasts; they need root, which makes a network namespace. `code` gives a
run newer code than the workers have; `cancel` terminates it. A round is right if the run ends in
time with the right status, what failed stopped only what depends on it, and no row is lost or
there twice. Prints a line for each round, and exits with 1 where one was not right.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from engine_world import World

from polster_core.testing.projects import polster
from tests.engines.cluster import SILENT_SECONDS, Runs, cluster, runs, shop
from tests.postgres import running

FAULTS = ("step", "worker", "hub", "postgres", "cut", "gone", "code", "cancel")
CHAINS = ("bronze_s00", "silver_s00", "gold_s00", "bronze_s01", "silver_s01", "gold_s01")
TICKS = "run_bronze_ticks"
LIMIT = SILENT_SECONDS * 3 * 3 + 600
"""Seconds: three tries of a step, each silent for as long as it may, on a machine that is busy."""
CUT_SECONDS = 20.0
SOURCE = '''"""Bronze: numbers, from where the last run stopped."""

from collections.abc import Generator

import polars as pl

from polster_runtime.config import interruption
from polster_runtime.config.paths import project_root


def extract(position: int | None) -> Generator[pl.DataFrame, None, int]:
    """Numbers up to that in the file `ticks`."""
    at, end = position or 0, int((project_root() / "ticks").read_text())
    for number in range(at, end):
        interruption.sleep(0.2)
        yield pl.DataFrame({"n": [number]})
    return end
'''


class Trial:
    """Rounds with one cluster."""

    def __init__(self, world: World, chance: random.Random) -> None:
        """Take what there is."""
        self.world, self.chance, self.hub = world, chance, world.hub
        self.size, self.undo = 0, list[Callable[[], None]]()

    def round(self, fault: str, carried_out: Runs) -> str:
        """Run the chains while something goes wrong; return what was not right."""
        self.size += 5
        (self.hub.root / "ticks").write_text(str(self.size), encoding="utf-8")
        self.hub.order(bronze_s00="1", silver_s01="1", gold_s00="1")
        moment, lasts = self.chance.uniform(0, 6), self.chance.uniform(0, SILENT_SECONDS * 2)
        if fault == "step":
            name = self.chance.choice(CHAINS)
            (self.hub.root / "orders" / name).write_text("kill", encoding="utf-8")
        carried_out.begin(*(["cancel", "STEP_START"] if fault == "cancel" else []), *CHAINS, TICKS)
        timer = threading.Timer(moment, self._go_wrong, (fault, lasts))
        timer.start()
        try:
            if not select.select([carried_out.process.stdout], [], [], LIMIT)[0]:
                return f"the run has not ended after {LIMIT} s"
            done = carried_out.end()
        finally:
            timer.join()
            for back in self.undo:
                back()
            self.undo.clear()
        return self.wrong(fault, done)

    def _go_wrong(self, fault: str, lasts: float) -> None:
        if fault == "worker":
            self.world.kill(self.chance.randrange(2))
        elif fault == "hub":
            self.world.restart_hub(lasts)
        elif fault == "postgres":
            self.world.server.restart()
        elif fault in {"cut", "gone"}:
            self.world.host.cut(off=True)
            self.undo.append(lambda: self.world.host.cut(off=False))
            if fault == "cut":
                threading.Timer(CUT_SECONDS, self.world.host.cut, kwargs={"off": False}).start()
            else:
                self.undo.append(lambda: self.world.kill(1))

    def wrong(self, fault: str, done: dict[str, Any]) -> str:
        """Return what is not right after a run; "" where all is."""
        steps = done["steps"]
        told = f"{done['status']} {steps} {done['tries']} {done['errors']}"
        if why := wrong_status(fault, done) or wrong_order(steps):
            return f"{why}: {told}"
        return self.wrong_rows(complete=steps.get(TICKS) == "SUCCESS")

    def wrong_rows(self, *, complete: bool) -> str:
        """Say whether a row of the increments is lost or there twice."""
        # The project reads them: the files that compaction has put together lie there as well.
        program = (
            "from polster_runtime.storage.registry import read; import json; "
            "print(json.dumps(read('bronze_ticks').collect()['n'].to_list()))"
        )
        said = self.hub.python("-c", program)
        if said.returncode and any((self.hub.root / "data/bronze/ticks").glob("*.parquet")):
            return f"ticks cannot be read: {said.stderr.strip()}"
        rows = [] if said.returncode else sorted(json.loads(said.stdout))
        if rows != [*range(len(rows))]:
            twice = [number for number, count in Counter(rows).items() if count > 1]
            return f"rows of ticks: {len(rows)}, twice {twice}, up to {max(rows)}"
        if complete and len(rows) != self.size:
            return f"{len(rows)} rows of ticks, not {self.size}"
        return ""

    @contextmanager
    def newer_code(self) -> Iterator[None]:
        """Give a run other code than the workers have."""
        file = self.hub.root / "src" / "core" / "newer.py"
        file.write_text('"""Newer than the workers."""\n', encoding="utf-8")
        try:
            yield
        finally:
            file.unlink()


def wrong_status(fault: str, done: dict[str, Any]) -> str:
    """Return what is not right with how a run ended; "" where all is."""
    steps, status, text = done["steps"], done["status"], str(done["errors"])
    if fault == "cancel":
        return "" if status == "CANCELED" else "was to be canceled"
    refusals = {"code": "this worker has the code", "hub": " answers at "}
    if fault == "code" or (fault == "hub" and not done["tries"]):
        refused = status == "FAILURE" and not done["tries"] and refusals[fault] in text
        return "" if refused else "was to be refused"
    if status != ("FAILURE" if "FAILURE" in steps.values() else "SUCCESS"):
        return "another status than its steps"
    complete = {*CHAINS, TICKS} == steps.keys()
    return "steps are missing" if status == "SUCCESS" and not complete else ""


def wrong_order(steps: dict[str, str]) -> str:
    """Return what ran though what it depends on had not succeeded."""
    for number in range(2):
        for before, after in (("bronze", "silver"), ("silver", "gold")):
            ends = [steps.get(f"{layer}_s{number:02}") for layer in (before, after)]
            if ends[1] == "SUCCESS" and ends[0] != "SUCCESS":
                return f"{after} ran without {before}"
    return ""


def project(folder: Path, engine: str) -> Path:
    """Make the project, with a source of which only what is new is read."""
    root = shop(folder, engine)
    polster(root, "add-asset", "--layer", "bronze", "--name", "ticks").succeeded()
    (root / "src" / "core" / "bronze_ticks.py").write_text(SOURCE, encoding="utf-8")
    return root


def main() -> None:
    """Run the rounds, and say what was not right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=("dask", "celery"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    chance, bad = random.Random(given.seed), 0  # noqa: S311 - the same rounds each time
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        server = stack.enter_context(running())
        made = stack.enter_context(cluster(given.engine, project(folder, given.engine), server))
        world = World(made, server, stack)
        trial = Trial(world, chance)
        carried_out = stack.enter_context(runs(made))
        for number in range(given.rounds):
            for fault in given.faults.split(","):
                carried_out.wait_for(2)
                began = time.monotonic()
                if fault == "code":
                    with trial.newer_code(), runs(made) as newer:
                        told = trial.round(fault, newer)
                    world.kill(0)  # one that was started meanwhile has the newer code
                    world.kill(1)
                else:
                    try:
                        told = trial.round(fault, carried_out)
                    except json.JSONDecodeError:
                        told = "the process of the run has ended"
                        carried_out = stack.enter_context(runs(made))
                bad += bool(told)
                took = time.monotonic() - began
                print(f"{number + 1:2} {fault:8} {took:5.1f} s  {told or 'ok'}", flush=True)
    print(f"{given.rounds * len(given.faults.split(','))} rounds, {bad} not right")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
