"""Steps on Celery workers: EXECUTOR=celery, CELERY_BROKER_URL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from polster_runtime.config.settings import load
from polster_runtime.dagster.engines.celery.app import TASK, application, queue
from polster_runtime.dagster.engines.celery.broker import answering, place, reach
from polster_runtime.dagster.engines.celery.watch import SOON_SECONDS, Watch
from polster_runtime.dagster.engines.diagnosis import Step, steps_of
from polster_runtime.dagster.engines.engine import START_A_WORKER, Engine, State
from polster_runtime.dagster.engines.executor import executor_of


@dataclass(frozen=True, kw_only=True)
class CelerySettings:
    """Where the broker is, and where results are kept."""

    celery_broker_url: str
    """Such as redis://hub:6379/0."""
    celery_result_url: str = ""
    """Where Celery keeps what tasks return; in Redis itself where that is the broker."""


def executor() -> dg.ExecutorDefinition:
    """What EXECUTOR=celery names. Raises SettingsError and HistoryError."""
    load(CelerySettings)
    return executor_of("celery", engine)


def engine() -> "Celery":
    """The broker that the settings name. Raises SettingsError."""
    return Celery(load(CelerySettings))


def diagnose() -> Iterator[Step]:
    """What `doctor` tries."""
    yield from steps_of("broker", place(load(CelerySettings).celery_broker_url), engine)


def serve(at_once: int) -> None:
    """Be a worker, in this process, until it is told to stop. Raises SettingsError."""
    import os

    from polster_runtime.dagster.engines.celery import control  # noqa: F401 - what it answers

    found = load(CelerySettings)
    app = application(found.celery_broker_url, found.celery_result_url)
    with answering(found.celery_broker_url):
        reach(app)
    # Threads: Polars does not survive a fork.
    options = ["--pool", "threads", "--concurrency", str(at_once), "--queues", queue()]
    name = f"polster-{os.getpid()}@%h"
    app.worker_main(["worker", "--hostname", name, *options, "--without-mingle", "-l", "WARNING"])


class Celery(Engine):
    """The tasks of a run as tasks of Celery."""

    name = "Celery"

    def __init__(self, found: CelerySettings) -> None:
        self.url = found.celery_broker_url
        self.app = application(self.url, found.celery_result_url)
        self.watch = Watch(self.app)

    def workers(self) -> Mapping[str, Mapping[str, str] | str]:
        """What each worker is. Raises SettingsError."""
        with answering(self.url):
            reach(self.app)
            found = self.watch.ask(SOON_SECONDS) or self.watch.ask()
        return {name: told["identity"] for name, told in found.items()}

    def start(self, key: str, task: str, wanted: Mapping[str, str]) -> None:
        """Let a worker do a task."""
        self.app.tasks[TASK].apply_async((task, dict(wanted)), task_id=key, retry=False)
        self.watch.begin()

    def state(self, key: str) -> State:
        """What is known of a task."""
        result = self.app.AsyncResult(key)
        if result.state == "SUCCESS":
            return State(over=True, refused=str(result.result or ""))
        if result.state in {"FAILURE", "REVOKED"}:
            return State(lost=f"its worker failed: {result.state}: {result.result!r}")
        if self.watch.error:
            return State(silent=f"the broker {place(self.url)} does not answer")
        if self.watch.has(key):
            return State()
        if result.state == "STARTED":
            return State(silent="the Celery worker that began it does not answer")
        if not self.watch.workers:
            return State(silent=f"no Celery worker answers; {START_A_WORKER}")
        waits = self.watch.queued > 0
        return State(silent="" if waits else "neither the broker nor a Celery worker has it")

    def cancel(self, key: str) -> None:
        """Take back a task that no worker has begun."""
        self.app.control.revoke(key)

    def close(self) -> None:
        """Ask nobody any more."""
        self.watch.end()
        self.app.close()
