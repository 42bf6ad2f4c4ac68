"""What an engine is given to do: begun when it takes it, watched, and lost when all is silent."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from polster_runtime.dagster.engines import identity
from polster_runtime.dagster.engines.engine import Engine, State, engine_settings

LOST_TRIES = 2
"""How often a task is begun again whose worker was lost: it may be the task that kills workers."""
AWAY_SECONDS = 2.0
"""How long an engine that could not be reached is left alone."""


class Task(NamedTuple):
    """What a worker does: a try of a step, or of one of its partitions."""

    step: str
    """What Dagster has to know of the step; no password is in it."""
    partition: str = ""
    number: int = 0
    """Which try of the partition it is."""
    known: Mapping[str, Mapping[str, Any]] = {}
    """What became of the partitions of the step that other workers have computed."""

    def as_text(self) -> str:
        """What goes to the worker."""
        return json.dumps(self._asdict())

    @classmethod
    def of(cls, text: str) -> "Task":
        """The task of a text."""
        return cls(**json.loads(text))


class Tasks:
    """The tasks of a run on an engine, by their keys."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.silent_seconds = engine_settings().silent_seconds
        self.wanted = identity.here()
        self._unstarted = dict[str, tuple[Task, str]]()
        """What the engine could not be given yet, and why."""
        self._away_since = -AWAY_SECONDS
        """When the engine last could not be reached: each try may take seconds."""
        self._silent_since = dict[str, float]()

    def begin(self, key: str, task: Task) -> State:
        """Give a task to the engine; one that it does not take is given again at the next look."""
        told = self._unstarted.pop(key, (task, ""))[1]
        if time.monotonic() - self._away_since >= AWAY_SECONDS:
            try:
                self.engine.start(key, task.as_text(), self.wanted)
            except Exception as error:  # whatever the engine's client raises
                told = f"{self.engine.name} cannot be reached: {line(error)}"
                self._away_since = time.monotonic()
            else:
                return State()
        told = told or f"{self.engine.name} cannot be reached"
        self._unstarted[key] = (task, told)
        return State(silent=told)

    def state(self, key: str) -> State:
        """What is known of a task; one that could not be started is started again."""
        if key in self._unstarted:
            return self.begin(key, self._unstarted[key][0])
        try:
            return self.engine.state(key)
        except Exception as error:  # whatever the engine's client raises
            return State(silent=f"{self.engine.name} cannot be reached: {line(error)}")

    def lost(self, key: str, state: State) -> str:
        """Why a task in a state will not end; "" where it may."""
        if state.lost or not state.silent:
            self._silent_since.pop(key, None)
            return state.lost
        now = time.monotonic()
        if now - self._silent_since.setdefault(key, now) < self.silent_seconds:
            return ""
        return f"{state.silent} (for {self.silent_seconds:g} s)"

    def take_back(self, key: str) -> bool:
        """Let no worker begin a task any more; whether the engine had it."""
        was_given = self._unstarted.pop(key, None) is None
        with suppress(Exception):
            self.engine.cancel(key)
        return was_given


def line(error: BaseException) -> str:
    """The first line of an error."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
