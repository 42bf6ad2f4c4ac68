"""A project whose steps run elsewhere, and the processes that run them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from polster_core.testing.projects import polster
from tests.postgres import Server
from tests.services import free_port, wait_for

PROGRAMS = Path(__file__).parent / "programs"
DEFINITIONS = """\
import dagster as dg

from orchestration import many
from orchestration.assets import bronze, gold, silver
from polster_runtime.dagster.definitions import build_definitions


@dg.definitions
def defs() -> dg.Definitions:
    return build_definitions([bronze, silver, gold, many])
"""
LOGS = """
compute_logs:
  module: polster_runtime.dagster.engines.logs
  class: WorkerLogs
"""
SAMPLE = ("run_bronze_customers", "run_bronze_example", "run_silver_example", "run_gold_example")
TERMINATED = {
    "printed": "bronze_s00 is computed\n",
    "told": ["TerminateRunSuccess"],
    "status": "CANCELED",
    "begun": ["bronze_s00"],
}
"""What `terminated_in_ui` returns where the first step is bronze_s00."""
SOURCES = 4
"""How many sources, of 30, the tests run: a step costs half a second of a processor."""
SILENT_SECONDS = 5
BROKER_PASSWORD = "s3cret"  # noqa: S105
TIMEOUT = 300.0


def shop(folder: Path, *engines: str) -> Path:
    """Make the project `shop`: the samples, a DAG, and some executors."""
    polster(folder, "init", "shop", "--no-setup", "--no-git").succeeded()
    root = folder / "shop"
    for name in engines:
        polster(root, "executor", "add", name).succeeded()
    (root / ".env").unlink(missing_ok=True)
    (root / "orders").mkdir()
    code = root / "src" / "orchestration"
    (code / "many.py").write_text((PROGRAMS / "many.py").read_text("utf-8"), "utf-8")
    (code / "definitions.py").write_text(DEFINITIONS, encoding="utf-8")
    with (root / ".dagster" / "dagster.yaml").open("a", encoding="utf-8") as file:
        file.write(LOGS)
    days = (PROGRAMS / "bronze_days.py").read_text("utf-8")
    (root / "src" / "core" / "bronze_days.py").write_text(days, encoding="utf-8")
    return root


@dataclass
class Cluster:
    """A scheduler or a broker, and what works for it."""

    root: Path
    environment: Mapping[str, str]
    port: int
    stack: ExitStack
    hub: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def engine(self) -> str:
        """What EXECUTOR says."""
        return self.environment["EXECUTOR"]

    def start(self, *command: str | Path, **how: Any) -> subprocess.Popen[bytes]:
        """Start a process, which is killed at the end."""
        log = self.stack.enter_context((self.root / "log").open("ab"))
        process = subprocess.Popen(
            [str(one) for one in command],
            cwd=self.root,
            **{
                "env": self.environment,
                "stdin": subprocess.DEVNULL,
                "stdout": log,
                "stderr": log,
                **how,
            },
        )
        self.stack.callback(_end, process)
        return process

    def start_hub(self) -> None:
        """Start the scheduler or the broker, on the port that it always has."""
        if self.engine == "dask":
            module = ("-m", "distributed.cli.dask_scheduler", "--no-dashboard")
            command = [sys.executable, *module, "--host", "127.0.0.1", "--port", str(self.port)]
        else:
            options = ("--bind", "127.0.0.1", "--save", "", "--requirepass", BROKER_PASSWORD)
            command = ["redis-server", "--port", str(self.port), *options]
        self.hub = self.start(*command)
        wait_for(self.port, self.hub)

    def start_worker(self, at_once: int = 5) -> subprocess.Popen[bytes]:
        """Start a worker."""
        arguments = ("-m", "polster_runtime", "worker", "--at-once", str(at_once))
        self.workers.append(self.start(sys.executable, *arguments))
        return self.workers[-1]

    def python(self, *arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the project."""
        return subprocess.run(
            [sys.executable, *arguments],
            check=False,
            cwd=self.root,
            env={**self.environment, **env},
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
        )

    def terminated_in_ui(self, first: str, *names: str) -> Any:
        """Return what programs/ui.py says of a run of some assets."""
        done = self.python(PROGRAMS / "ui.py", first, *names)
        assert not done.returncode, done.stderr
        (answer,) = (line for line in done.stdout.splitlines() if line.startswith("{"))
        return json.loads(answer)

    def order(self, **orders: str) -> None:
        """Tell assets what to do besides; nothing to all others."""
        for file in (self.root / "orders").iterdir():
            file.unlink()
        for name, order in orders.items():
            (self.root / "orders" / name).write_text(order, encoding="utf-8")

    def wait_until_taken(self, name: str) -> None:
        """Wait until an asset that was ordered to kill its process has taken the order."""
        wait_until((self.root / "orders" / name).exists, is_so=False)

    def wait_until_logged(self, text: str) -> None:
        """Wait until one of the processes has written a text."""
        wait_until(lambda: text in (self.root / "log").read_text("utf-8"))

    def files(self, layer: str, number: int) -> list[Path]:
        """Return the snapshots of an asset of the DAG."""
        return sorted((self.root / "data" / layer / f"s{number:02}").glob("*.parquet"))

    def partitions(self, name: str) -> list[str]:
        """Return the partitions of a source that are published."""
        folders = (self.root / "data" / "bronze" / name).glob("partition=*")
        return sorted(one.name.partition("=")[2] for one in folders if [*one.glob("*.parquet")])

    def rows(self, layer: str, number: int) -> list[tuple[int, int]]:
        """Return the newest rows of an asset of the DAG."""
        newest = self.files(layer, number)[-1]
        return [(row[0], row[1]) for row in pl.read_parquet(newest).rows()]


def wait_until(ask: Callable[[], bool], *, is_so: bool = True) -> None:
    """Wait until something is so, or no more."""
    end = time.monotonic() + TIMEOUT
    while ask() != is_so:
        assert time.monotonic() < end
        time.sleep(0.1)


@dataclass
class Runs:
    """A process that carries out runs."""

    process: subprocess.Popen[bytes]

    def begin(self, *names: str) -> None:
        """Begin a run of some assets, or of all."""
        assert self.process.stdin
        self.process.stdin.write(f"{' '.join(names)}\n".encode())
        self.process.stdin.flush()

    def end(self) -> Any:
        """Return what became of it."""
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def doctor(self) -> dict[str, str]:
        """Return what `doctor` says of the executor: the label of each step, and its answer."""
        found: dict[str, str] = self.run("doctor")
        return found

    def run(self, *names: str) -> Any:
        """Carry out a run of some assets, or of all."""
        self.begin(*names)
        return self.end()

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers are there."""
        assert self.run("wait", str(workers)) == workers


@contextmanager
def cluster(engine: str, root: Path, server: Server) -> Iterator[Cluster]:
    """Run a scheduler or a broker, with a history of its own."""
    port = free_port()
    server.query(f"CREATE DATABASE {engine}")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"},
        "PYTHONPATH": str(root / "src"),
        "EXECUTOR": engine,
        "MANY_SOURCES": str(SOURCES),
        "SHARED_DATA": "true",
        "SILENT_SECONDS": str(SILENT_SECONDS),
        "SOURCE_RETRY_SECONDS": "0.1",
        "DAGSTER_POSTGRES_URL": server.url(engine),
        "DASK_SCHEDULER_ADDRESS": f"tcp://127.0.0.1:{port}",
        "CELERY_BROKER_URL": f"redis://:{BROKER_PASSWORD}@127.0.0.1:{port}/0",
    }
    with ExitStack() as stack:
        yield Cluster(root, environment, port, stack)


@contextmanager
def runs(of: Cluster) -> Iterator[Runs]:
    """Start a process that carries out runs, with the code as it is now."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = of.start(sys.executable, PROGRAMS / "runs.py", **pipes)
    yield Runs(process)
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
