"""Steps on the workers of a Dask cluster: EXECUTOR=dask, DASK_SCHEDULER_ADDRESS."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from distributed import Client

from polster_runtime.config.settings import load
from polster_runtime.dagster.engines import identity, worker
from polster_runtime.dagster.engines.diagnosis import Step, steps_of
from polster_runtime.dagster.engines.engine import START_A_WORKER, Engine, State
from polster_runtime.dagster.engines.executor import executor_of
from polster_runtime.errors import SettingsError

CONNECT_SECONDS = 10
ASK_SECONDS = 1.0
"""How often the scheduler is asked about all steps together."""


@dataclass(frozen=True, kw_only=True)
class DaskSettings:
    """Where the scheduler is."""

    dask_scheduler_address: str
    """Such as tcp://hub:8786, or tls://."""


def executor() -> dg.ExecutorDefinition:
    """What EXECUTOR=dask names. Raises SettingsError and HistoryError."""
    load(DaskSettings)
    return executor_of("dask", engine)


def engine() -> "Dask":
    """The cluster that the settings name. Raises SettingsError."""
    return Dask(load(DaskSettings).dask_scheduler_address)


def diagnose() -> Iterator[Step]:
    """What `doctor` tries."""
    yield from steps_of("scheduler", load(DaskSettings).dask_scheduler_address, engine)


def serve(at_once: int) -> None:
    """Be a worker, in this process, until it is told to stop. Raises SettingsError."""
    from distributed.cli.dask_worker import main

    address = load(DaskSettings).dask_scheduler_address
    options = ["--nthreads", str(at_once), "--no-nanny", "--no-dashboard", "--memory-limit", "0"]
    main([address, *options], standalone_mode=False)


class Dask(Engine):
    """The tasks of a run as futures of a Dask cluster."""

    name = "Dask"

    def __init__(self, address: str) -> None:
        self.address = address
        self.futures = dict[str, Any]()
        self._client: Any = None
        self._lock = threading.Lock()
        self._asked = -ASK_SECONDS
        self._silence = dict[str, str]()
        """What is wrong with the worker of each task; "" where nothing is."""
        self._seen = dict[str, float]()
        self._none = ""

    @property
    def client(self) -> Any:
        """A connection to the scheduler; a new one where the last was lost."""
        with self._lock:
            if self._client is None or self._client.status == "closed":
                try:
                    make: Any = Client  # which has no types
                    self._client = make(self.address, timeout=CONNECT_SECONDS, set_as_default=False)
                except (OSError, TypeError, ValueError) as error:
                    raise self._nobody(error) from None
            return self._client

    def workers(self) -> Mapping[str, Mapping[str, str] | str]:
        """What each worker is. Raises SettingsError."""
        try:
            found = self.client.run(identity.here, on_error="return")
        except SettingsError:
            raise
        except Exception as error:  # whatever Dask raises when it loses the scheduler
            raise self._nobody(error) from None
        return {
            name: f"{type(told).__name__}: {told}; start it in the project, with its packages"
            if isinstance(told, BaseException)
            else told
            for name, told in found.items()
            if not isinstance(told, OSError)  # it is cut off, which the scheduler does not know yet
        }

    def start(self, key: str, task: str, wanted: Mapping[str, str]) -> None:
        """Let a worker do a task."""
        # Dask begins a task again when its worker is lost, whatever it is told; Dagster then
        # refuses to run the step (should_verify_step), so that its end never comes.
        self.futures[key] = self.client.submit(
            worker.work, task, dict(wanted), key=key, pure=False, retries=0
        )

    def state(self, key: str) -> State:
        """What is known of a task."""
        future = self.futures[key]
        if future.status == "finished":
            return State(over=True, refused=future.result(timeout=CONNECT_SECONDS))
        if future.status == "error":
            error = future.exception(timeout=CONNECT_SECONDS)
            return State(lost=f"its worker failed: {type(error).__name__}: {error}")
        if future.status in {"lost", "cancelled"}:
            return State(lost="the Dask scheduler has lost it")
        if self._client.status != "running":
            return State(silent=f"the scheduler {self.address} does not answer")
        self._ask()
        return State(silent=self._silence.get(key, self._none))

    def cancel(self, key: str) -> None:
        """Take back a task that no worker has begun."""
        self.futures[key].cancel()

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close(timeout=2)

    def _nobody(self, error: Exception) -> SettingsError:
        return SettingsError(
            f"no Dask scheduler answers at {self.address} ({type(error).__name__}); "
            "start one:  dask scheduler"
        )

    def _ask(self) -> None:
        """Ask which worker has which task, and whether it was heard of since the last time."""
        if time.monotonic() - self._asked < ASK_SECONDS:
            return
        self._asked = time.monotonic()
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        self._none = "" if workers else f"there is no Dask worker; {START_A_WORKER}"
        seen = {name: about["last_seen"] for name, about in workers.items()}
        silent = {name for name, at in seen.items() if self._seen.get(name) == at}
        self._silence = {
            key: f"the Dask worker {name} does not answer" if name in silent else ""
            for name, keys in self._client.processing().items()
            for key in keys
        }
        self._seen = seen
