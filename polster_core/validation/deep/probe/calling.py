"""Call one function on frames without data, and say what comes out or what is wrong.

A function that collects may need rows to work at all. So what fails on empty frames, or does not
fit the contract, is tried again with rows: only what goes wrong with them too is a fault, and what
depends on the data is not known rather than wrong.
"""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_origin

from . import frames
from .guard import Guard, ImpureError, step_by_step

SEEDS = (1, 7)
_PYTHON = (NameError, AttributeError, ImportError, NotImplementedError)
_POLARS = (
    "ColumnNotFoundError",
    "SchemaError",
    "SchemaFieldNotFoundError",
    "StructFieldNotFoundError",
    "InvalidOperationError",
    "DuplicateError",
    "SQLInterfaceError",
    "SQLSyntaxError",
)


@dataclass(frozen=True)
class Input:
    """What a parameter is given: its columns, and the contract they come from, if any."""

    schema: Mapping[str, Any]
    contract: Any = None


@dataclass(frozen=True)
class Outcome:
    """The columns that come out, or the error; `unknown` says what only data would tell."""

    schema: Mapping[str, Any] | None = None
    error: BaseException | None = None
    unknown: str = ""
    plan: str = ""
    """What Polars would do, as it explains it."""


@dataclass(frozen=True)
class Call:
    """A function, what its parameters are given, and who watches it."""

    function: Callable[..., Any]
    inputs: Mapping[str, Input]
    extra: Mapping[str, Any]
    guard: Guard

    def outcome(self, fits: Callable[[Mapping[str, Any]], bool]) -> Outcome:
        """Return the columns that the function returns, or why it cannot."""
        first = self._try(lambda given: frames.empty(given.schema))
        if isinstance(first.error, ImpureError) or (
            first.schema is not None and fits(first.schema)
        ):
            return first
        second, third = (self._try(_rows(seed)) for seed in SEEDS)
        if first.error is not None and second.error is not None:
            return self._both_failed(first.error, second.error)
        if second.error is not None:
            return first
        known = second.schema == third.schema and (first.error or first.schema == second.schema)
        if not known and not (second.schema is not None and fits(second.schema)):
            return Outcome(unknown="its columns depend on the data")
        return second

    def traced(self, with_rows: bool) -> BaseException | None:  # noqa: FBT001 - one of two ways
        """Call again, each step at once, and return the error as it comes from its own line."""
        with step_by_step():
            made = _rows(SEEDS[0]) if with_rows else lambda given: frames.empty(given.schema)
            return self._try(made).error

    def _both_failed(self, first: BaseException, second: BaseException) -> Outcome:
        for error, with_rows in ((second, True), (first, False)):
            if _is_certain(error) or _is_alike(first, second):
                return Outcome(error=self.traced(with_rows) or error)
        return Outcome(unknown=f"it fails on made-up rows: {str(second).partition(chr(10))[0]}")

    def _try(self, make: Callable[[Input], Any]) -> Outcome:
        hints = _annotations(self.function)
        arguments = dict(self.extra)
        for name, given in self.inputs.items():
            frame = make(given)
            arguments[name] = frame if _wants_all(hints.get(name)) else frame.lazy()
        try:
            with warnings.catch_warnings(), self.guard.armed():
                warnings.simplefilter("ignore")
                schema, plan = _schema(self.function(**arguments))
                return Outcome(schema=schema, plan=plan)
        except Exception as error:  # noqa: BLE001 - it is the user's
            return Outcome(error=error)


def _rows(seed: int) -> Callable[[Input], Any]:
    def make(given: Input) -> Any:
        rows = frames.sample(given.contract, seed) if given.contract is not None else None
        fits = rows is not None and dict(rows.schema) == dict(given.schema)
        return rows if fits else frames.made_up(given.schema, seed)

    return make


def _schema(result: Any) -> tuple[Mapping[str, Any], str]:
    """Return columns and plan of what a function returned; raises TypeError if that is no frame."""
    pl = frames.polars()
    if isinstance(result, types.GeneratorType):
        result = next(result, None)
    if not isinstance(result, (pl.DataFrame, pl.LazyFrame)):
        kind = type(result).__name__
        raise WrongResultError("returns nothing" if result is None else f"returns {kind}")
    schema: Mapping[str, Any] = result.collect_schema()
    result.lazy().collect()
    return dict(schema), result.lazy().explain(optimized=False)


class WrongResultError(TypeError):
    """A function that returns something else than a frame."""


def _is_certain(error: BaseException) -> bool:
    """Whether an error says something about the code, whatever the data."""
    exceptions = frames.polars().exceptions
    known = tuple(getattr(exceptions, name) for name in _POLARS if hasattr(exceptions, name))
    return isinstance(error, (*_PYTHON, WrongResultError, *known))


def _is_alike(one: BaseException, other: BaseException) -> bool:
    return type(one) is type(other) and str(one) == str(other)


def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return inspect.get_annotations(function, eval_str=True)
    except Exception:  # noqa: BLE001 - a name that only a type checker knows
        return inspect.get_annotations(function)


def _wants_all(annotation: Any) -> bool:
    kind = get_origin(annotation) or annotation
    if isinstance(kind, str):
        return kind.partition("[")[0].rpartition(".")[2] == "DataFrame"
    return isinstance(kind, type) and issubclass(kind, frames.polars().DataFrame)
