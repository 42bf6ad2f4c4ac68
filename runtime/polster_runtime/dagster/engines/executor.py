"""A run whose steps are on workers of an engine: begun there, watched, begun again when lost."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from polster_runtime.config.logging import log
from polster_runtime.dagster import private
from polster_runtime.dagster.engines import identity, preconditions
from polster_runtime.dagster.engines.engine import Engine, State, engine_settings
from polster_runtime.dagster.engines.partitions import Spread, shared_out
from polster_runtime.dagster.engines.reconnect import keep_trying
from polster_runtime.dagster.engines.tasks import LOST_TRIES, Task, Tasks, line
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
        if go_on := getattr(self._steps, "go_on", None):
            go_on(*arguments[:2])
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
        self.tasks = Tasks(engine)
        self.launched = dict[str, str]()
        """The key of the last try of each step."""
        self.refused = set[str]()
        """The steps that no other try would help."""
        self.over = set[str]()
        self.spreads = dict[str, tuple[Spread, str]]()
        """The partitions that workers share before the step itself begins, by the key of a try."""
        self.known = dict[str, dict[str, Any]]()
        """What became of the partitions of each step, at any try."""
        self.stopped = False

    @property
    def name(self) -> str:
        """What the UI calls it."""
        return self.engine.name

    def check(self) -> None:
        """Raise SettingsError unless the engine is there and all of its workers have this code."""
        for worker, told in self.engine.workers().items():
            why = told if isinstance(told, str) else identity.difference(told, self.tasks.wanted)
            if why:
                raise SettingsError(f"{self.engine.name} worker {worker}: {why}")

    def launch_step(self, step_handler_context: Any) -> Events:
        """Begin a step on a worker, or first its partitions on several."""
        args = step_handler_context.execute_step_args
        (step,) = args.step_keys_to_execute
        key, told = _key(args), _told(args)
        self.launched[step] = key
        at_once, run = engine_settings().partitions, step_handler_context.dagster_run
        known = self.known.get(step, {})  # of an earlier try, in which others may have failed
        done = self.known[step] = {one: told for one, told in known.items() if not told["error"]}
        left = [one for one in shared_out(step, run.tags) if one not in done] if at_once > 1 else []
        if len(left) < 2:
            self._begin(step, key, told)
            return iter(())
        self.spreads[key] = Spread(self.tasks, key, told, left), step
        text = f"{len(left)} partitions go to workers, {at_once} at once at most."
        step_handler_context.instance.report_engine_event(text, run, step_key=step)
        return iter(())

    def go_on(self, instance: dg.DagsterInstance, run_id: str) -> None:
        """Give out further partitions, and begin the steps whose partitions are done."""
        for key, (spread, step) in [*self.spreads.items()]:
            for partition, number in spread.go_on(engine_settings().partitions):
                instance.add_run_tags(run_id, {f"{LOST}/{step}/{partition}": str(number)})
            if spread.is_over and not spread.refused:
                del self.spreads[key]
                self.known[step] |= spread.known
                self._begin(step, key, spread.step)

    def _begin(self, step: str, key: str, told: str) -> None:
        self.tasks.begin(key, Task(told, known=self.known[step]))

    def check_step_health(self, step_handler_context: Any) -> "CheckStepHealthResult":
        """Whether a step may still end by itself."""
        health: Any = private.find(private.HEALTH)
        args = step_handler_context.execute_step_args
        key, (step,) = _key(args), args.step_keys_to_execute
        why = self._spread_refused(key) if key in self.spreads else self._ended(step, key)
        if key in self.spreads and why:
            self.spreads.pop(key)[0].stop()
            self.refused.add(step)
        found: CheckStepHealthResult = health.unhealthy(why) if why else health.healthy()
        return found

    def _spread_refused(self, key: str) -> str:
        return self.spreads[key][0].refused

    def _ended(self, step: str, key: str) -> str:
        """Why a step that a worker has will not end by itself; "" where it may."""
        state = self.tasks.state(key)
        if state.refused:
            self.refused.add(step)
        why = state.refused or self.tasks.lost(key, state)
        if not why and state.over:
            # So it is for a moment with every step; the second time the history had long known.
            why = NO_END if key in self.over else ""
            self.over.add(key)
        return why

    def terminate_step(self, step_handler_context: Any) -> Events:
        """Let a step stop: workers look at the tags of the run."""
        args = step_handler_context.execute_step_args
        if not self.stopped:
            step_handler_context.instance.add_run_tags(args.run_id, {STOP: "true"})
            self.stopped = True
        key, (step,) = _key(args), args.step_keys_to_execute
        if key in self.spreads:
            del self.launched[step]
            self.launched |= {one: one for one in self.spreads.pop(key)[0].stop()}
        elif not self.tasks.take_back(key):
            self.launched.pop(step, None)
        return iter(())

    def wind_up(self) -> None:
        """Wait for the steps that were told to stop, as long as the engine answers."""
        end = time.monotonic() + min(WIND_UP_SECONDS, self.tasks.silent_seconds)
        keys = [*self.launched.values()] if self.stopped else []
        try:
            while time.monotonic() < end and any(
                not _is_over(self.tasks.state(key)) for key in keys
            ):
                time.sleep(LOOK_SECONDS)
            self.engine.close()
        except Exception as error:
            log.warning("%s: %s", self.engine.name, line(error))


def _is_over(state: State) -> bool:
    return state.over or bool(state.lost or state.refused)


def _told(args: Any) -> str:
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
