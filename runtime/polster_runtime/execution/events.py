"""What happens to runs and their assets, for whoever follows it: the terminal, alerts, a plugin."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from polster_runtime.config import entry_points
from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.result import Materialized

ALERTS = "polster_runtime.execution.alerts"
"""The listener of every project."""


@dataclass(frozen=True)
class Run:
    """A run of Dagster: its id, its page in the UI, and whether a terminal showed how it ended."""

    id: str
    url: str
    in_terminal: bool = False


class RunListener:
    """Follows the assets that this process runs, from several threads, and how runs end.

    What is told of whole runs is told once: by their own process, or where the daemon started them
    or they were killed, by the daemon. A run that a person stops has no end. A listener inherits
    from this class, and defines what it is interested in.
    """

    def started(self, asset: AssetId) -> None:
        """The function of an asset is about to be called."""

    def rows_so_far(self, asset: AssetId, rows: int) -> None:
        """A source has yielded so many rows."""

    def retrying(self, asset: AssetId, reason: str, seconds: float) -> None:
        """A source that failed is tried again after some seconds."""

    def finished(self, done: Materialized) -> None:
        """The rows of an asset are published."""

    def failed(self, asset: AssetId, seconds: float) -> None:
        """An asset failed, that many seconds after it started."""

    def run_started(self, run: Run) -> None:
        """A run has started."""

    def run_finished(self, run: Run) -> None:
        """All assets of a run have succeeded."""

    def run_failed(self, run: Run, reasons: Sequence[str]) -> None:
        """A run failed, was killed or could not start: why, in a line for each asset."""

    def checks_failed(self, run: Run, found: Sequence[str]) -> None:
        """Checks failed in a run that finished: what they found, in a line for each."""

    def overdue(self, asset: AssetId, hours: float, allowed: float) -> None:
        """Data is this old, and older than it may be; told again only after it was fresh."""


began: ContextVar[float | None] = ContextVar("began", default=None)
"""When the step of this thread began, by time.perf_counter(); None outside of runs in threads."""

_listeners: list[RunListener] = []


@contextmanager
def listening(listener: RunListener) -> Iterator[None]:
    """Let a listener follow what runs in the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(event: Callable[[RunListener], None]) -> None:
    """Tell all listeners of an event. What only shows a run does not fail it."""
    for listener in (*_listeners, *_lasting()):
        try:
            event(listener)
        except Exception as error:
            name = type(listener).__qualname__
            level = logging.DEBUG if listener in _listeners else logging.WARNING
            log.log(level, "a listener failed", extra={"details": {"is": name, "error": error}})


def is_followed() -> bool:
    """Whether a plugin, or the project itself, has a listener."""
    return bool(entry_points.named(entry_points.LISTENERS))


@cache
def _lasting() -> tuple[RunListener, ...]:
    """The alerts, and the group `polster_runtime.listeners`; one that fails is left out."""
    found: list[RunListener] = [import_module(ALERTS).listener()]
    for name in sorted(entry_points.named(entry_points.LISTENERS)):
        try:
            module = entry_points.find(entry_points.LISTENERS, name)
            found += [module.listener()] if module else []
        except Exception as error:
            log.warning("no listener", extra={"details": {"name": name, "error": error}})
    return tuple(found)
