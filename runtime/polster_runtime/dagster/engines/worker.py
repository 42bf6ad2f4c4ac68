"""What a worker does: one step, or a partition of one, whose events go to Dagster's event log."""

import copy
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from typing import Any

import dagster as dg

from polster_runtime.config.interruption import apart
from polster_runtime.config.paths import project_root
from polster_runtime.config.root import module
from polster_runtime.dagster import private
from polster_runtime.dagster.engines import identity, logs
from polster_runtime.dagster.engines.engine import engine_settings
from polster_runtime.dagster.engines.one_partition import compute
from polster_runtime.dagster.engines.reconnect import keep_trying
from polster_runtime.dagster.engines.tasks import Task
from polster_runtime.dagster.history_errors import where
from polster_runtime.dagster.instance import opened, ready_home
from polster_runtime.dagster.partitioned_step import known_outcomes
from polster_runtime.errors import PipelineError
from polster_runtime.storage.probe import probe_steps
from polster_runtime.storage.registry import store

STOP = "polster/stop"
"""A tag of a run: its steps are to stop."""
LOST = "polster/lost"
"""Begins a tag of a run, `polster/lost/STEP`: the last try of the step that counts no more.

`polster/lost/STEP/PARTITION` is that of one of its partitions.
"""
FRESH_SECONDS = 0.3
"""For how long an answer of the history is good."""
PROBE = "probe"
"""A task that is no step: `doctor` asks what the worker can reach."""
_open = ExitStack()


def work(task: str, wanted: Mapping[str, str]) -> str:
    """Run a step of a run that has the identity `wanted`; return why not, "" where it ran.

    Of a partition return what became of it, as JSON.
    """
    if told := identity.difference(identity.here(), wanted):
        return told
    if task == PROBE:
        return _probe()
    deserialize, kind = private.find(private.DESERIALIZE), private.find(private.STEP_ARGS)
    given = Task.of(task)
    args = deserialize(given.step, kind)
    instance = _instance()
    run = instance.get_run_by_id(args.run_id)
    if run is None:
        return (
            f"the history of this worker, {where()}, does not know the run; "
            "give both the same DAGSTER_POSTGRES_URL"
        )
    tried = _Try(instance, args, given)
    with apart(tried.is_over):
        if given.partition:
            return compute(tried.instance, run, tried.step, given.partition)
        known_outcomes.set(given.known)
        # The worker's own history, not one that the run tells: passwords stay off the wire.
        for _ in private.find(private.STEP_BODY)(args, tried.instance, run):
            pass
    return ""


@cache
def _instance() -> dg.DagsterInstance:
    """The instance of this process, as long as that lives."""
    os.chdir(project_root())
    ready_home()
    instance = _open.enter_context(opened(running=not logs.are_kept()))
    keep_trying(instance, engine_settings().silent_seconds)
    # Dagster would configure logging again for each step, which threads do not survive.
    if get := getattr(instance, "get_yaml_python_handlers", None):
        handlers = [*get()]
        instance.get_yaml_python_handlers = lambda: handlers  # type: ignore[method-assign]
    return instance


class _Try:
    """One try of a step or of a partition: it may be over for the run while it goes on here."""

    def __init__(self, instance: dg.DagsterInstance, args: Any, given: Task) -> None:
        (self.step,) = args.step_keys_to_execute
        tried = args.known_state.get_retry_state().get_attempt_count(self.step)
        self.numbers = {f"{LOST}/{self.step}": int(tried)}
        """Which try it is, by the tag that would say that it is lost."""
        if given.partition:
            self.numbers[f"{LOST}/{self.step}/{given.partition}"] = given.number
        self.history, self.run_id = instance, args.run_id
        self.answer, self.asked = False, -FRESH_SECONDS
        self.lost = False
        """Whether the run has begun the step elsewhere."""
        self.unanswered_since: float | None = None
        self.silent_seconds = engine_settings().silent_seconds
        self.instance = copy.copy(instance)
        """The history, which takes no event of a try that counts no more."""
        store = instance.handle_new_event
        self.instance.handle_new_event = self._only_if_it_counts(store)  # type: ignore[method-assign]

    def is_over(self) -> bool:
        """Whether the run has ended, is about to, or has begun the step elsewhere."""
        now = time.monotonic()
        if not self.answer and now - self.asked >= FRESH_SECONDS:
            self.asked = now
            self.answer = self._ask(now)
        return self.answer

    def _ask(self, now: float) -> bool:
        try:
            run = self.history.get_run_by_id(self.run_id)
        except Exception:  # whatever keeps the database from answering
            since = self.unanswered_since = self.unanswered_since or now
            return time.monotonic() - since > self.silent_seconds
        self.unanswered_since = None
        if run is None or run.is_finished or run.status == dg.DagsterRunStatus.CANCELING:
            return True
        self.lost = any(int(run.tags.get(tag, -1)) >= tried for tag, tried in self.numbers.items())
        return self.lost or STOP in run.tags

    def _only_if_it_counts(self, store: Callable[..., None]) -> Callable[..., None]:
        def stored(event: dg.EventLogEntry, **how: Any) -> None:
            ends = event.dagster_event and event.dagster_event.event_type_value in ENDS
            if not (ends and self.is_over() and self.lost):
                store(event, **how)

        return stored


ENDS = {"STEP_SUCCESS", "STEP_FAILURE", "STEP_UP_FOR_RETRY", "ASSET_MATERIALIZATION"}


def _probe() -> str:
    """Try the history and the storage; return what is wrong, "" when all is well."""
    try:
        with opened(running=True) as instance:
            instance.get_runs_count()
        for _, do in probe_steps([store()]):
            do()
    except (PipelineError, OSError) as error:
        return str(error)
    return ""


def warm() -> None:
    """Load the project before the first step, which then need not wait for that."""
    logs.listen()  # before anything has taken the streams
    identity.here()  # before the modules, which may change while they are loaded
    import_module(module("orchestration.definitions")).defs()
    _instance()
