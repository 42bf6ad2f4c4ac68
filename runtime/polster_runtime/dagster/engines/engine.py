"""What an engine is: it begins steps on workers, and says what it knows of them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from polster_runtime.config.settings import load
from polster_runtime.errors import SettingsError

START_A_WORKER = "start one:  python -m polster_runtime worker"


class State(NamedTuple):
    """What an engine knows of a step; by default that it waits for a worker, or runs on one."""

    over: bool = False
    """Whether its worker is done with it: by then Dagster's event log has its end."""
    refused: str = ""
    """What the worker has returned; of a step why it did not begin: no other try would help."""
    lost: str = ""
    """Why it will never end: another try may help."""
    silent: str = ""
    """Who does not answer; after SILENT_SECONDS of that the step counts as lost."""


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """What every engine reads."""

    silent_seconds: float = 60.0
    """How long a worker, a scheduler or a broker may not answer before its steps are lost."""
    executor_max_steps: int = 0
    """How many steps of a run may be on workers at once; 0: as many as there are."""
    partitions_at_once: int = 32
    """How many partitions of an asset may be on workers at once; 1: one computes them in turn."""
    shared_data: bool = False
    """Whether the data folder of this machine is that of all workers, such as on NFS."""

    def __post_init__(self) -> None:
        if not self.silent_seconds >= 1:
            raise SettingsError(f"SILENT_SECONDS must be 1 or more, not {self.silent_seconds:g}")
        if self.executor_max_steps < 0:
            raise SettingsError("EXECUTOR_MAX_STEPS must be 0 or more")
        if self.partitions_at_once < 1:
            raise SettingsError("PARTITIONS_AT_ONCE must be 1 or more")

    @property
    def partitions(self) -> int:
        """How many partitions of a step there may be on workers at once."""
        return min(self.partitions_at_once, self.executor_max_steps or self.partitions_at_once)


def engine_settings() -> EngineSettings:
    """The settings as they are now. Raises SettingsError."""
    return load(EngineSettings)


class Engine(ABC):
    """Begins steps by calling `worker.work(task, wanted)` on a worker, which returns a text.

    A method may raise whatever the client of the engine raises while it cannot be reached.
    """

    name: str

    @abstractmethod
    def workers(self) -> Mapping[str, Mapping[str, str] | str]:
        """What each worker is: its `identity.here()`, or a text that says why it has none.

        Raises SettingsError with a sentence where the engine cannot be used.
        """

    @abstractmethod
    def start(self, key: str, task: str, wanted: Mapping[str, str]) -> None:
        """Let a worker do a task; the key is that of one try of one step of one run."""

    @abstractmethod
    def state(self, key: str) -> State:
        """What is known of a task that was started."""

    @abstractmethod
    def cancel(self, key: str) -> None:
        """Take back a task that no worker has begun."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the engine: nothing is asked any more."""
