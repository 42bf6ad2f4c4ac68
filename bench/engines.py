"""What it costs to run steps on other machines, beside one process and a process for each step.

    python bench/engines.py dask|celery [--rounds 3] [--sources 40]

Makes a project of its own, with a PostgreSQL, a scheduler or broker, and two workers of ten steps
each. Measures four things, each at its best of some rounds in which all take turns: a chain of
three levels on the engine, in threads of one process and with Dagster's multiprocess executor,
which is the rival; sources that wait a second each, on the engine and in threads; all assets, with
the history in PostgreSQL and in SQLite; and a run of 100 partitions that wait a second each, of
which the engine has ten at once. A run's own time counts, not that of starting Python.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.engines.cluster import Cluster, Runs, cluster, runs, shop
from tests.postgres import running

LAYERS = ("bronze", "silver", "gold")
WORKERS, AT_ONCE = 2, 10
PARTITIONS, PARTITIONS_AT_ONCE = 100, 10


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=("dask", "celery"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sources", type=int, default=40)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running())
        made = stack.enter_context(cluster(given.engine, shop(folder, given.engine), server))
        hub = with_variables(
            made,
            MANY_SOURCES=str(given.sources),
            MANY_PARTITIONS=str(PARTITIONS),
            PARTITION_SECONDS="1",
            PARTITIONS_AT_ONCE=str(PARTITIONS_AT_ONCE),
            SILENT_SECONDS="60",
        )
        hub.start_hub()
        for _ in range(WORKERS):
            hub.start_worker(AT_ONCE)
        processes = {
            given.engine: stack.enter_context(runs(hub)),
            "threads": stack.enter_context(runs(with_variables(hub, EXECUTOR="threads"))),
            "multiprocess": stack.enter_context(runs(with_variables(hub, EXECUTOR="multiprocess"))),
            "threads, SQLite": stack.enter_context(
                runs(with_variables(hub, EXECUTOR="threads", DAGSTER_POSTGRES_URL=""))
            ),
        }
        processes[given.engine].wait_for(WORKERS)
        measure(hub, processes, given.rounds, given.sources)


def with_variables(of: Cluster, **variables: str) -> Cluster:
    """Return the same cluster for a process with other variables."""
    return replace(of, environment={**of.environment, **variables})


def measure(hub: Cluster, processes: Mapping[str, Runs], rounds: int, sources: int) -> None:
    """Let all take turns, and print the best of each."""
    engine = next(iter(processes))
    chain = [f"{layer}_s00" for layer in LAYERS]
    waiting = [f"bronze_s{number:02}" for number in range(sources)]
    every = [f"{layer}_s{number:02}" for layer in LAYERS for number in range(min(33, sources))]
    partitions = ["range", "p0", f"p{PARTITIONS - 1}", "run_bronze_days"]
    found: dict[tuple[str, str], float] = {}

    def take(what: str, who: str, names: list[str]) -> None:
        done = processes[who].run(*names)
        if done["status"] != "SUCCESS":
            raise SystemExit(f"{what}, {who}: {done}")
        found[what, who] = min(found.get((what, who), float("inf")), done["seconds"])

    for _ in range(rounds):
        hub.order()
        for who in (engine, "threads", "multiprocess"):
            take("a chain of 3 levels", who, chain)
        for who in (engine, "threads", "threads, SQLite"):
            take(f"{len(every)} assets", who, every)
        hub.order(**dict.fromkeys(waiting, "1"))
        for who in (engine, "threads"):
            take(f"{sources} sources of 1 s", who, waiting)
        take(f"{PARTITIONS} partitions of 1 s", engine, partitions)
    for (what, who), seconds in found.items():
        print(f"{what:24} {who:16} {seconds:7.2f} s")
    one = found["a chain of 3 levels", "threads"]
    for who in (engine, "multiprocess"):
        level = (found["a chain of 3 levels", who] - one) / len(LAYERS)
        print(f"a level over one process, {who}: {level:.2f} s")
    database, file = (found[f"{len(every)} assets", who] for who in ("threads", "threads, SQLite"))
    print(f"PostgreSQL over SQLite: {database / file:.2f}")


if __name__ == "__main__":
    main()
