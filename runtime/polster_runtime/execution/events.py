"""What happens to the assets of a run, for whoever follows it: the terminal, an own program."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Protocol

from polster_runtime.config import entry_points
from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.result import Materialized


class RunListener(Protocol):
    """Follows the assets that this process runs; it is called from several threads.

    A listener that is not interested in all of it inherits from this class.
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
    for listener in (*_listeners, *_of_plugins()):
        try:
            event(listener)
        except Exception as error:
            name = type(listener).__qualname__
            level = logging.DEBUG if listener in _listeners else logging.WARNING
            log.log(level, "a listener failed", extra={"details": {"is": name, "error": error}})


@cache
def _of_plugins() -> tuple[RunListener, ...]:
    """The listeners of the group `polster_runtime.listeners`; one that fails is left out."""
    found: list[RunListener] = []
    for name in sorted(entry_points.named(entry_points.LISTENERS)):
        try:
            module = entry_points.find(entry_points.LISTENERS, name)
            found += [module.listener()] if module else []
        except Exception as error:
            log.warning("no listener", extra={"details": {"name": name, "error": error}})
    return tuple(found)
