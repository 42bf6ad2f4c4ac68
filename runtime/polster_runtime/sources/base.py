"""What bronze assets yield, and how sources report what goes wrong."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import polars as pl

from polster_runtime.config.interruption import sleep, stop_if_interrupted
from polster_runtime.config.logging import log
from polster_runtime.errors import NoData, SourceError

__all__ = [
    "Frames",
    "NoData",
    "Position",
    "SourceError",
    "doubt",
    "doubts",
    "replace_all",
    "replacing",
    "sleep",
    "stop_if_interrupted",
]

Position = Any
"""How far a source was read: whatever JSON can hold. None: not at all, so read all of it."""
Frames = Generator[pl.DataFrame | pl.LazyFrame, None, Position]
"""What an incremental function yields, and the position that it returns."""
_doubts: ContextVar[list[str]] = ContextVar("doubts")
_replaced: ContextVar[list[bool]] = ContextVar("replaced")


def doubt(text: str) -> None:
    """Say before the first row that a source may have more than is read: the drift check warns."""
    log.warning(text)
    if (found := _doubts.get(None)) is not None:
        found.append(text)


@contextmanager
def doubts() -> Iterator[list[str]]:
    """Collect what sources doubt."""
    found = list[str]()
    token = _doubts.set(found)
    try:
        yield found
    finally:
        _doubts.reset(token)


def replace_all() -> None:
    """Say before the first row that all rows follow, in place of those that were read before."""
    if (found := _replaced.get(None)) is not None:
        found.append(True)


@contextmanager
def replacing() -> Iterator[list[bool]]:
    """Collect whether a source says that; empty where it does not."""
    found = list[bool]()
    token = _replaced.set(found)
    try:
        yield found
    finally:
        _replaced.reset(token)
