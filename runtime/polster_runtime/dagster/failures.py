"""Why a step failed, in a sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import dagster as dg
import polars as pl

from polster_runtime.assets.binding import Function
from polster_runtime.config.interruption import Interrupted, interrupt
from polster_runtime.errors import (
    AssetError,
    ContractBroken,
    NoData,
    SettingsError,
    SourceError,
    StorageError,
)
from polster_runtime.execution.code_errors import explained

EXPECTED = (AssetError, ContractBroken, NoData, NotImplementedError, SettingsError)
"""Errors whose message says it all."""
LOGIC = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    SyntaxError,
    TypeError,
    UnicodeError,
    pl.exceptions.PolarsError,
)
"""Errors in the code or the data."""
FILES = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
"""What a source is not, or not for us."""
FINAL = (*LOGIC, *FILES)
"""Errors that another try would not fix."""
OWN_LINE = re.compile(
    r'File ".*?(src[/\\](?:\w+[/\\])?(?:core|orchestration)[/\\][^"]+)", line (\d+)'
)


def reason(failure: Any) -> str:
    """What went wrong in a step: its own sentence, or the error and the line of the asset."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error.cause or failure.error
    lines = [found for entry in error.stack for found in OWN_LINE.findall(entry)]
    where = f"{lines[-1][0]}:{lines[-1][1]}: " if lines else ""
    return where + str(error.message).strip()


class Explanation(NamedTuple):
    """An error as a person is told it."""

    text: str
    retryable: bool
    """Whether another try may succeed."""
    expected: bool
    """Whether the text says it all, so that nobody needs the traceback."""


def explanation(error: BaseException, function: Function) -> Explanation:
    """What to tell of an error in an asset."""
    if isinstance(error, SystemExit):
        text = f"{explained(error, function)}: an asset may not end the run"
        return Explanation(text, retryable=False, expected=True)
    if isinstance(error, EXPECTED):
        return Explanation(str(error), retryable=False, expected=True)
    if isinstance(error, SourceError | StorageError):
        return Explanation(str(error), error.retryable, expected=True)
    is_final = isinstance(error, FINAL)
    return Explanation(explained(error, function), retryable=not is_final, expected=is_final)


@contextmanager
def interruption_told() -> Iterator[None]:
    """Let an interrupted step end as one that failed, and nothing else begin."""
    try:
        yield
    except (Interrupted, KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as error:
        interrupt()  # Dagster's own executors would try it again, and start others
        raise dg.Failure("interrupted", allow_retries=False) from error
