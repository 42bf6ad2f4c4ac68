"""What the annotations of a function say of increments, by what the runtime calls its marks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import frames

_FLAG = "_deleted"
"""The column of an Upsert that says that a row is removed."""


def own(function: Callable[..., Any]) -> str | None:
    """Return the parameter that is given the asset's own rows."""
    return next((name for name, mark in _marks(function) if _means(mark) == "own"), None)


def kept(function: Callable[..., Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the columns of a result that are those of its rows."""
    if not _upserts(function):
        return schema
    return {name: kind for name, kind in schema.items() if name != _FLAG}


def wrong_flag(function: Callable[..., Any], schema: Mapping[str, Any]) -> str:
    """Return a sentence when `_deleted` is no Boolean."""
    kind = schema.get(_FLAG)
    if kind is None or not _upserts(function) or kind == frames.polars().Boolean:
        return ""
    return f"{function.__name__}() returns {_FLAG} as {kind}; it must be Boolean"


def lacking(
    function: Callable[..., Any], given: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Yield a message and a hint when a frame lacks columns by which Touched tells groups apart."""
    for name, mark in _marks(function):
        there = given.get(name, {})
        absent = [each for each in getattr(mark, "columns", ()) if there and each not in there]
        if absent:
            listed = ", ".join(map(repr, absent))
            yield (
                f"{name} has no column {listed}, which Touched names",
                f"it has {', '.join(there)}",
            )


def _upserts(function: Callable[..., Any]) -> bool:
    return any(name == "return" and _means(mark) == "upsert" for name, mark in _marks(function))


def _marks(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    try:
        hints = inspect.get_annotations(function, eval_str=True)
    except Exception:  # noqa: BLE001 - a name that only a type checker knows
        hints = inspect.get_annotations(function)
    for name, hint in hints.items():
        for mark in getattr(hint, "__metadata__", ()):
            yield name, mark


def _means(mark: Any) -> str | None:
    return getattr(mark, "means", None)
