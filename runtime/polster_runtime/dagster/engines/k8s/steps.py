"""The steps of a run as Kubernetes Jobs, also while the API server does not answer."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import dagster as dg

from polster_runtime.config.logging import log
from polster_runtime.dagster import private
from polster_runtime.dagster.engines.engine import engine_settings
from polster_runtime.dagster.engines.k8s import api

if TYPE_CHECKING:
    from dagster._core.executor.step_delegating import CheckStepHealthResult, StepHandler
else:
    StepHandler = private.find(private.STEP_HANDLER) or object


class JobSteps(StepHandler):
    """What dagster-k8s begins and watches; an API server that is away ends no run at once."""

    def __init__(self, stock: Any) -> None:
        self.stock = stock
        self.silent_seconds = engine_settings().silent_seconds
        self.silent_since: float | None = None
        self.unmade = set[str]()
        """The steps whose Job could not be made yet."""

    @property
    def name(self) -> str:
        """What the UI calls it."""
        return "Kubernetes"

    def check(self) -> None:
        """Raise SettingsError unless the API server answers."""
        api.reach()

    def launch_step(self, step_handler_context: Any) -> Iterator[dg.DagsterEvent]:
        """Make the Job of a step; where that fails `check_step_health` tries it again."""
        key = _key(step_handler_context)
        try:
            yield from self.stock.launch_step(step_handler_context)
        except Exception as error:  # whatever the client of Kubernetes raises
            log.warning("the Job of %s: %s", key, _line(error))
            self.unmade.add(key)
        else:
            self.unmade.discard(key)

    def check_step_health(self, step_handler_context: Any) -> "CheckStepHealthResult":
        """Whether the Job of a step may still end by itself; silence counts as that for a while."""
        health: Any = private.find(private.HEALTH)
        found: CheckStepHealthResult
        try:
            if _key(step_handler_context) in self.unmade:
                list(self.stock.launch_step(step_handler_context))
                self.unmade.discard(_key(step_handler_context))
            found = self.stock.check_step_health(step_handler_context)
        except Exception as error:  # whatever the client of Kubernetes raises
            now = time.monotonic()
            self.silent_since = self.silent_since or now
            if now - self.silent_since < self.silent_seconds:
                found = health.healthy()
                return found
            found = health.unhealthy(f"the API server of Kubernetes: {_line(error)}")
            return found
        self.silent_since = None
        return found

    def terminate_step(self, step_handler_context: Any) -> Iterator[dg.DagsterEvent]:
        """Delete the Job of a step; one that cannot be reached is told by the run's status."""
        with suppress(Exception):
            yield from self.stock.terminate_step(step_handler_context)


class WithoutLauncher:
    """dagster-k8s in a run that no K8sRunLauncher has launched: it looks there for what is empty.

    The image says then where DAGSTER_HOME is; its variables come from K8S_ENV_SECRETS.
    """

    def __init__(self, stock: Any) -> None:
        self.stock = stock

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        """One of the methods of a StepHandler."""
        ask: Callable[[Any], Any] = getattr(self.stock, name)
        return lambda context: ask(_Context(context))


class _Context:
    """What a StepHandler is told, with a run launcher that dagster-k8s takes for none."""

    def __init__(self, told: Any) -> None:
        self._told = told
        self.instance = SimpleNamespace(run_launcher=_NoLauncher())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._told, name)


class _NoLauncher:
    job_image = dagster_home = instance_config_map = postgres_password_secret = None

    def __bool__(self) -> bool:
        return False


def _key(step_handler_context: Any) -> str:
    (key,) = step_handler_context.execute_step_args.step_keys_to_execute
    return str(key)


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
