"""The steps of a run in threads of one process, each as soon as its own upstream is done.

Sources (bronze) mostly wait for other machines, what computes keeps Polars busy: each kind has a
limit of its own, BRONZE_THREADS and COMPUTE_THREADS. Dagster decides what can run; only the order
in time is ours.
"""

import asyncio
import inspect
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import dagster as dg

from polster_runtime.config import interruption
from polster_runtime.config.logging import log
from polster_runtime.config.settings import settings
from polster_runtime.dagster import private
from polster_runtime.dagster.recovery import end_run
from polster_runtime.dagster.run_process import held
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS
from polster_runtime.execution import interrupts
from polster_runtime.execution.events import began

Events = Iterator[dg.DagsterEvent]

WIND_UP_SECONDS = 3.0
"""How long the steps under way have to end by themselves when the run is interrupted."""
LOOK_SECONDS = 0.25
"""How often a run that has nothing else to do looks whether it was interrupted."""


@dg.executor(name="threads")
def threads_executor(init_context: dg.InitExecutorContext) -> dg.Executor:
    """Run each step in a thread; where Dagster lacks what that needs, one after the other."""
    return ThreadsExecutor()


class ThreadsExecutor(dg.Executor):
    """Runs the steps of a run in threads of this process."""

    @property
    def retries(self) -> Any:
        """Steps may be tried again."""
        return private.find(private.RETRY_MODE).ENABLED

    def execute(self, plan_context: Any, execution_plan: Any) -> Events:
        """Run the steps of a plan; yield what happens."""
        iterable, manager = private.find(private.ITERABLE), private.find(private.CONTEXT_MANAGER)
        of_context = (
            *("job", "retry_mode", "execution_plan", "run_config", "dagster_run", "instance"),
            *("raise_on_error", "output_capture"),
        )
        found: Events = iterable(
            execution_plan=plan_context.execution_plan,
            iterator=_run,
            execution_context_manager=manager(
                **{name: getattr(plan_context, name) for name in of_context}
            ),
        )
        yield from found


def _run(job_context: Any, execution_plan: Any) -> Events:
    instance, run_id = job_context.instance, job_context.run_id
    watch = interrupts.watch(lambda: end_run(instance, run_id, "interrupted"))
    with held(run_id), watch, ExitStack() as output:
        with dg.raise_execution_interrupts():  # also by what came while the project was loaded
            pass
        yield from _captured_output(job_context, execution_plan, output)
        yield from _Steps(job_context).run(execution_plan)


def _captured_output(context: Any, plan: Any, stack: ExitStack) -> Events:
    """Keep what the process prints for the UI, where the instance does."""
    manager, steps = context.instance.compute_log_manager, plan.get_steps_to_execute_in_topo_order()
    key = manager.build_log_key_for_run(context.run_id, private.find(private.LOG_FILE_KEY)())
    try:
        kept = stack.enter_context(manager.capture_logs(key))
    except Exception as error:
        log.warning("the output of steps is not kept", extra={"details": {"error": error}})
        return
    yield dg.DagsterEvent.capture_logs(context, [step.key for step in steps], key, kept)


class _Happened(NamedTuple):
    """An event of a step; None when the step is over, with what Dagster itself could not take."""

    step: Any
    event: dg.DagsterEvent | None
    error: BaseException | None = None


class _Steps:
    """The steps of a run: which wait for a thread, which are under way, what has happened."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.happened: SimpleQueue[_Happened] = SimpleQueue()
        self.waiting: dict[bool, deque[Any]] = {True: deque(), False: deque()}
        """By whether they are sources."""
        self.free = {True: settings().bronze_threads, False: settings().compute_threads}
        """How many more threads there may be."""
        self.running = 0

    def run(self, plan: Any) -> Events:
        """Run them all. Raises DagsterExecutionInterruptedError."""
        context = self.context
        slots = private.find(private.CONCURRENCY)(context.instance, context.dagster_run)
        with (
            slots,
            plan.start(
                retry_mode=context.retry_mode,
                instance_concurrency_context=slots,
                step_dependency_config=context.step_dependency_config,
            ) as active,
        ):
            try:
                while self.running or not active.is_complete:
                    if interruption.is_interrupted():
                        yield from self._wind_up(active)
                    for step in active.get_steps_to_execute():
                        self.waiting[_is_source(step)].append(step)
                    self._start(active)
                    yield from active.concurrency_event_iterator(context)
                    yield from self._until_one_ends(active)
            finally:
                if self.running:  # nobody would record what they publish
                    interruption.interrupt()

    def _start(self, active: Any) -> None:
        for is_source, steps in self.waiting.items():
            while steps and self.free[is_source]:
                self.free[is_source] -= 1
                self.running += 1
                step = steps.popleft()
                arguments = self.context.for_step(step, active.get_known_state())
                # Daemons: a source that hangs must not keep an interrupted process alive.
                Thread(
                    target=copy_context().run,
                    args=(_work, arguments, self.happened.put),
                    name=step.key,
                    daemon=True,
                ).start()

    def _until_one_ends(self, active: Any) -> Events:
        """What happens until a step is over, or something else is to be looked at."""
        wait = active.sleep_interval()
        end = time.monotonic() + (min(wait, LOOK_SECONDS) if wait > 0 else LOOK_SECONDS)
        running = self.running
        while self.running == running and (left := end - time.monotonic()) > 0:
            yield from self._take(active, left)

    def _take(self, active: Any, seconds: float) -> Events:
        """The next event, if there is one in time."""
        try:
            step, event, error = self.happened.get(timeout=seconds)
        except Empty:
            return
        if event is not None:
            yield event
            active.handle_event(event)
            return
        self.running -= 1
        self.free[_is_source(step.step)] += 1
        if error is not None:
            raise error
        active.verify_complete(self.context, step.step.key)
        yield from active.plan_events_iterator(self.context)

    def _wind_up(self, active: Any) -> Events:
        """Let the steps under way end, for a while; say so to Dagster."""
        instance, run_id = self.context.instance, self.context.run_id
        run = instance.get_run_by_id(run_id)
        if interrupts.was_asked_by_person() and run.status == dg.DagsterRunStatus.STARTED:
            instance.report_run_canceling(run, "Ctrl-C")
        end = time.monotonic() + WIND_UP_SECONDS
        while self.running and (left := end - time.monotonic()) > 0:
            yield from self._take(active, left)
        raise dg.DagsterExecutionInterruptedError


def _is_source(step: Any) -> bool:
    return AssetId.parse(step.key).layer == LAYERS[0]


@contextmanager
def _own_loop(step: Any) -> Iterator[None]:
    """Give a coroutine a loop of its own: that of the run is for one step at a time."""
    function = getattr(step.op_def.compute_fn, "decorated_fn", None)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        with closing(asyncio.new_event_loop()) as step._event_loop:
            yield
    else:
        yield


def _work(step: Any, put: Callable[[_Happened], None]) -> None:
    """Run a step, with its hooks; what happens is put where the run takes it from."""
    began.set(time.perf_counter())
    events, failure = list[dg.DagsterEvent](), None
    try:
        with _own_loop(step):
            for event in private.find(private.STEP_EVENTS)(step):
                events.append(event)
                put(_Happened(step, event))
        for event in private.find(private.HOOKS)(step, events):
            put(_Happened(step, event))
    except (interruption.Interrupted, KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        interruption.interrupt()
    except BaseException:
        failure = sys.exc_info()[1]
    put(_Happened(step, None, failure))
