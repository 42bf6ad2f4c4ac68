"""What went wrong in an asset's own code: the line of it, the kind, the message.

Polars finds a wrong column only when a query is run, far from the line that wrote it. So the
function is called again then, on frames without rows that look at each step at once.
"""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import polars as pl

from polster_runtime.assets.binding import Function, source_file, wants_all
from polster_runtime.config.paths import project_root
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError
from polster_runtime.execution.invocation import Invocation, stubs_named

FOUND_BEFORE_A_RUN = (
    pl.exceptions.ColumnNotFoundError,
    pl.exceptions.DuplicateError,
    pl.exceptions.SchemaError,
    pl.exceptions.SchemaFieldNotFoundError,
    pl.exceptions.StructFieldNotFoundError,
)
"""Errors that do not depend on the rows."""
BEFORE_A_RUN = "; `polster validate --deep` finds it before a run"


@contextmanager
def errors_named(source: Invocation) -> Iterator[None]:
    """Say what is not written, which file is damaged, and where a query went wrong."""
    function = source.function
    of_store = source.data.errors() if source.bound else nullcontext()
    try:
        with stubs_named(function), of_store:
            yield
    except pl.exceptions.PolarsError as error:
        if isinstance(error, pl.exceptions.ComputeError) and "parquet" in str(error):
            source.check_inputs()
        if own_line(error, function) is not None:
            raise
        line = line_of_query(error, function, source.read_of, source.schemas)
        raise AssetError(explained(error, function, line)) from error


def explained(error: BaseException, function: Function, line: int | None = None) -> str:
    """An error of an asset's own code; `line` says where, if the traceback does not."""
    file, text = source_file(function), str(error)
    where = f"{file.relative_to(project_root()).as_posix()}:{own_line(error, function) or line}"
    if isinstance(error, pl.exceptions.PolarsError):  # a plan, or a backtrace, follows
        text = text.partition("\n\n")[0]
    if isinstance(error, FOUND_BEFORE_A_RUN):
        text += BEFORE_A_RUN
    return f"{where.removesuffix(':None')}: {type(error).__name__}: {text}"


def own_line(error: BaseException, function: Function) -> int | None:
    """The last line of the function's file that an error passed through."""
    file = source_file(function)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file]
    return own[-1] if own else None


def line_of_query(
    error: Exception,
    function: Function,
    bound: Mapping[str, AssetId],
    schemas: Mapping[AssetId, pl.Schema],
) -> int:
    """The line that wrote the step of a query that failed; where that is not known, the function's.

    `bound` and `schemas` are what the function was given.
    """
    code: Any = function.__code__
    line = int(code.co_firstlineno)
    if not bound or not schemas.keys() >= set(bound.values()):  # a source is not asked again
        return line
    again = _called_again(function, {name: schemas[asset] for name, asset in bound.items()})
    # Frames without rows may not be what it was written for: then it is another error.
    same = type(again) is type(error) and _first_line(again) == _first_line(error)
    return (own_line(again, function) if again and same else None) or line


def _called_again(function: Function, schemas: Mapping[str, pl.Schema]) -> Exception | None:
    frames = {name: pl.LazyFrame(schema=schema) for name, schema in schemas.items()}
    try:
        function(
            **{
                name: frame.collect() if wants_all(function, name) else _checked(frame)
                for name, frame in frames.items()
            }
        )
    except Exception as error:
        return error
    return None


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0]


class _Checked(pl.LazyFrame):
    """A lazy frame that looks at each step as it is written.

    It builds on how Polars makes one lazy frame of another, which has no public name. Where that
    changes, no line is found but that of the function.
    """

    @classmethod
    def _from_pyldf(cls, ldf: Any) -> pl.LazyFrame:
        pl.LazyFrame._from_pyldf(ldf).collect()
        return super()._from_pyldf(ldf)

    def group_by(self, *by: Any, **how: Any) -> Any:
        return _Groups(super().group_by(*by, **how))


class _Groups:
    """Groups whose aggregation is looked at."""

    def __init__(self, groups: Any) -> None:
        self.groups = groups

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.groups, name)
        return lambda *args, **how: _checked(method(*args, **how))


def _checked(frame: pl.LazyFrame) -> pl.LazyFrame:
    return _Checked._from_pyldf(frame._ldf)
