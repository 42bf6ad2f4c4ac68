"""A run whose steps are on workers of an engine: begun there, watched, begun again when lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dagster as dg

from polster_runtime.config.logging import log
from polster_runtime.dagster import private
from polster_runtime.dagster.engines import identity, preconditions
from polster_runtime.dagster.engines.engine import Engine, State, engine_settings
from polster_runtime.dagster.engines.reconnect import keep_trying
from polster_runtime.dagster.engines.worker import LOST, STOP
from polster_runtime.dagster.run_process import held
from polster_runtime.errors import SettingsError

if TYPE_CHECKING:
    from dagster._core.executor.step_delegating import (
        CheckStepHealthResult,
        StepDelegatingExecutor,
        StepHandler,
    )
else:
    StepDelegatingExecutor = private.find(private.DELEGATING) or dg.Executor
    StepHandler = private.find(private.STEP_HANDLER) or object

LOOK_SECONDS = 0.2
"""How often the event log is asked what steps have done."""
HEALTH_SECONDS = 2
"""How often the engine is asked whether running steps live."""
WIND_UP_SECONDS = 10.0
"""How long the steps under way have to end when a run is interrupted."""
LOST_TRIES = 2
"""How often a step is begun again whose worker was lost: it may be the step that kills workers."""
LOST_SECONDS = 2.0
"""How long to wait before the first of these, twice as long before the second."""
UNHEALTHY = "failed health check: "
NO_END = "its worker was lost: it ended and left no result in Dagster's history"

Events = Iterator[dg.DagsterEvent]


def executor_of(name: str, engine: Callable[[], Engine]) -> dg.ExecutorDefinition:
    """The executor that runs steps on an engine.

    Raises SettingsError and HistoryError where a run could not work with it.
    """
    preconditions.check(name)

    @dg.executor(name=name, requirements=dg.multiple_process_executor_requirements())
    def made(_: dg.InitExecutorContext) -> dg.Executor:
        return DelegatingExecutor(EngineSteps(engine()))

    return made


class DelegatingExecutor(StepDelegatingExecutor):
    """Dagster's executor for steps elsewhere; a step whose worker was lost is begun again."""

    def __init__(self, steps: Any) -> None:
        super().__init__(
            steps,
            retries=private.find(private.RETRY_MODE).ENABLED,
            sleep_seconds=LOOK_SECONDS,
            check_step_health_interval_seconds=HEALTH_SECONDS,
            max_concurrent=engine_settings().executor_max_steps or None,
            # An engine may begin a step a second time, whatever it is told: that does nothing.
            should_verify_step=True,
        )
        self._steps = steps
        self._ended = set[str]()

    def execute(self, plan_context: Any, execution_plan: Any) -> Events:
        """Run the steps of a plan; yield what happens. Raises SettingsError before the first."""
        keep_trying(plan_context.instance, engine_settings().silent_seconds)
        with held(plan_context.run_id):
            try:
                getattr(self._steps, "check", bool)()
                yield from super().execute(plan_context, execution_plan)
            finally:
                getattr(self._steps, "wind_up", bool)()

    def _pop_events(self, *arguments: Any) -> list[dg.DagsterEvent]:
        """What has happened, with one end for each try of a step: a lost one may end as well."""
        found = []
        for event in super()._pop_events(*arguments):
            key = event.step_key or ""
            if event.event_type_value in {"STEP_START", "STEP_RESTARTED"}:
                self._ended.discard(key)
            elif event.is_step_success or event.is_step_failure or event.is_step_up_for_retry:
                if key in self._ended:
                    continue
                self._ended.add(key)
            found.append(event)
        return found

    def log_failure_or_retry_event_after_error(
        self, step_context: Any, err_info: Any, known_state: Any
    ) -> dg.DagsterEvent:
        """Try a step again whose worker was lost; what a worker refused has failed."""
        why = err_info.message.partition(UNHEALTHY)[2].strip()
        if not why:
            return super().log_failure_or_retry_event_after_error(
                step_context, err_info, known_state
            )
        key, run_id = step_context.step.key, step_context.run_id
        tried = known_state.get_retry_state().get_attempt_count(key)
        self._ended.discard(key)  # it may be lost again before it began
        step_context.instance.add_run_tags(run_id, {f"{LOST}/{key}": str(tried)})
        error = err_info._replace(message=why)
        if tried < LOST_TRIES and key not in getattr(self._steps, "refused", ()):
            seconds = LOST_SECONDS * 2**tried
            data = private.find(private.STEP_RETRY)(error=error, seconds_to_wait=seconds)
            return dg.DagsterEvent.step_retry_event(step_context, data)
        data = private.find(private.STEP_FAILURE)(error=error, user_failure_data=None)
        return dg.DagsterEvent.step_failure_event(step_context, data)


class EngineSteps(StepHandler):
    """The steps of a run on an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.silent_seconds = engine_settings().silent_seconds
        self.wanted = identity.here()
        self.launched = dict[str, str]()
        """The key of the last try of each step."""
        self.refused = set[str]()
        """The steps that no other try would help."""
        self.unstarted = dict[str, tuple[str, str]]()
        """The tasks that the engine could not be given yet, and why."""
        self.away_since = -float(HEALTH_SECONDS)
        """When the engine last could not be reached: each try may take seconds."""
        self.over = set[str]()
        self.silent_since = dict[str, float]()
        self.stopped = False

    @property
    def name(self) -> str:
        """What the UI calls it."""
        return self.engine.name

    def check(self) -> None:
        """Raise SettingsError unless the engine is there and all of its workers have this code."""
        for worker, told in self.engine.workers().items():
            why = told if isinstance(told, str) else identity.difference(told, self.wanted)
            if why:
                raise SettingsError(f"{self.engine.name} worker {worker}: {why}")

    def launch_step(self, step_handler_context: Any) -> Events:
        """Begin a step on a worker."""
        args = step_handler_context.execute_step_args
        (step,) = args.step_keys_to_execute
        key = self.launched[step] = _key(args)
        self._start(key, _task(args))
        return iter(())

    def check_step_health(self, step_handler_context: Any) -> "CheckStepHealthResult":
        """Whether a step may still end by itself."""
        health: Any = private.find(private.HEALTH)
        args = step_handler_context.execute_step_args
        key, (step,) = _key(args), args.step_keys_to_execute
        state = self._state(key)
        if state.refused:
            self.refused.add(step)
        why = state.refused or state.lost or self._silence(key, state.silent)
        if not why and state.over:
            # So it is for a moment with every step; the second time the history had long known.
            why = NO_END if key in self.over else ""
            self.over.add(key)
        found: CheckStepHealthResult = health.unhealthy(why) if why else health.healthy()
        return found

    def terminate_step(self, step_handler_context: Any) -> Events:
        """Let a step stop: workers look at the tags of the run."""
        args = step_handler_context.execute_step_args
        if not self.stopped:
            step_handler_context.instance.add_run_tags(args.run_id, {STOP: "true"})
            self.stopped = True
        key, (step,) = _key(args), args.step_keys_to_execute
        if self.unstarted.pop(key, None):
            self.launched.pop(step, None)
        with suppress(Exception):
            self.engine.cancel(key)
        return iter(())

    def wind_up(self) -> None:
        """Wait for the steps that were told to stop, as long as the engine answers."""
        end = time.monotonic() + min(WIND_UP_SECONDS, self.silent_seconds)
        keys = [*self.launched.values()] if self.stopped else []
        try:
            while time.monotonic() < end and any(not _is_over(self._state(key)) for key in keys):
                time.sleep(LOOK_SECONDS)
            self.engine.close()
        except Exception as error:
            log.warning("%s: %s", self.engine.name, _line(error))

    def _start(self, key: str, task: str) -> State:
        """Give a task to the engine; one that it does not take is given again at the next look."""
        told = self.unstarted.pop(key, (task, ""))[1]
        if time.monotonic() - self.away_since >= HEALTH_SECONDS:
            try:
                self.engine.start(key, task, self.wanted)
            except Exception as error:  # whatever the engine's client raises
                told = f"{self.engine.name} cannot be reached: {_line(error)}"
                self.away_since = time.monotonic()
            else:
                return State()
        told = told or f"{self.engine.name} cannot be reached"
        self.unstarted[key] = (task, told)
        return State(silent=told)

    def _state(self, key: str) -> State:
        """What is known of a task; one that could not be started is started again."""
        if key in self.unstarted:
            return self._start(key, self.unstarted[key][0])
        try:
            return self.engine.state(key)
        except Exception as error:  # whatever the engine's client raises
            return State(silent=f"{self.engine.name} cannot be reached: {_line(error)}")

    def _silence(self, key: str, who: str) -> str:
        """Who has been silent about a step for too long; "" before that."""
        if not who:
            self.silent_since.pop(key, None)
            return ""
        now = time.monotonic()
        if now - self.silent_since.setdefault(key, now) < self.silent_seconds:
            return ""
        return f"{who} (for {self.silent_seconds:g} s)"


def _is_over(state: State) -> bool:
    return state.over or bool(state.lost or state.refused)


def _task(args: Any) -> str:
    """What a worker has to know of a step; no password is in it."""
    kind, serialize = private.find(private.STEP_ARGS), private.find(private.SERIALIZE)
    names = ("job_origin", "run_id", "step_keys_to_execute", "retry_mode", "known_state")
    text: str = serialize(
        kind(**{name: getattr(args, name) for name in names}, should_verify_step=True)
    )
    return text


def _key(args: Any) -> str:
    """A step of a run, and which try it is: an engine must not take one for another."""
    (step,) = args.step_keys_to_execute
    return f"{args.run_id}-{step}-{args.known_state.get_retry_state().get_attempt_count(step)}"


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
