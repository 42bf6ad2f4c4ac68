"""Why a step failed, in a sentence."""

import re
import traceback
from pathlib import Path
from typing import Any

import polars as pl

from polster_runtime.assets.binding import Function, source_file
from polster_runtime.config.paths import project_root

OWN_LINE = re.compile(r'File ".*?(src[/\\]core[/\\][^"]+)", line (\d+)')


def explained(error: BaseException, function: Function) -> str:
    """An error of an asset's own code: the line of it, the kind, the message."""
    file = source_file(function)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file]
    where = file.relative_to(project_root()).as_posix() + (f":{own[-1]}" if own else "")
    text = str(error)
    if isinstance(error, pl.exceptions.PolarsError):  # a plan, or a backtrace, follows
        text = text.partition("\n\n")[0]
    return f"{where}: {type(error).__name__}: {text}"


def reason(failure: Any) -> str:
    """What went wrong in a step: its own sentence, or the error and the line of the asset."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error.cause or failure.error
    lines = [found for entry in error.stack for found in OWN_LINE.findall(entry)]
    where = f"{lines[-1][0]}:{lines[-1][1]}: " if lines else ""
    return where + str(error.message).strip()
