"""What a person reads about an asset that has run."""

import os
import shutil
import sys
from pathlib import Path
from typing import TextIO

import polars as pl

from polster_runtime.assets.values import values_as_python
from polster_runtime.execution.result import NEW_ONLY, Materialized

ROWS = 10


def say(*texts: str, to: TextIO | None = None) -> None:
    """Print texts, each on a line of its own, on stdout or another stream.

    A reader that has gone away, as in `| head`, is no error: the work goes on. A character that
    the stream has not, as in many a code page of Windows, becomes a question mark.
    """
    stream = to or sys.stdout
    text = "\n".join(texts) + "\n"
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def red(text: str, stream: TextIO) -> str:
    """A text in red, where the stream is a terminal that has colours and NO_COLOR is not set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or os.name == "nt"
    return text if plain or not stream.isatty() else f"\x1b[31m{text}\x1b[0m"


def line(done: Materialized, width: int = 24) -> str:
    """One line: name, rows, rejected rows, seconds, and the rules that were broken."""
    rejected = f"{done.rejected:,} rejected" if done.rejected else ""
    notes = [f"{rule} {rows:,}" for rule, rows in done.broken_in_words.items()]
    notes += [f"{done.removed:,} removed"] if done.removed else []
    notes += [done.read] if done.read and done.read != NEW_ONLY else []
    rules = " · ".join(notes)
    counts = f"{done.asset!s:<{width}}{done.rows:>12,} rows{rejected:>16}{done.seconds:>9.2f} s"
    return f"{counts}   {rules}".rstrip()


def failed(name: str, seconds: float, width: int = 24) -> str:
    """One line for an asset that failed; what went wrong is told at the end."""
    return f"{name:<{width}}{'failed':>17}{seconds:>25.2f} s"


def again(name: str, reason: str, seconds: float) -> str:
    """One line for a source that failed and is tried again."""
    return f"{name}: {reason}; trying again in {seconds:.0f} s"


def place(path: str) -> str:
    """A path as a person finds it from the folder that they are in."""
    return path.removeprefix(f"{Path.cwd().as_posix()}/")


def frame(rows: pl.DataFrame, most: int = ROWS) -> str:
    """The first rows as a table, with as many columns as the terminal has room for.

    Rows that cannot be shown are no error: what has been computed is stored.
    """
    try:
        return _fitting_table(rows, most)
    except (Exception, pl.exceptions.PanicException) as error:
        return f"the rows cannot be shown: {type(error).__name__}: {error}"


def _fitting_table(rows: pl.DataFrame, most: int) -> str:
    terminal = shutil.get_terminal_size().columns
    for columns in range(max(rows.width, 2), 1, -1):
        text = _table(rows.head(most), columns)
        if len(text.partition("\n")[0]) <= terminal:
            break
    return text


def _table(rows: pl.DataFrame, columns: int) -> str:
    has_lines = "│".encode(sys.stdout.encoding or "utf-8", "replace") != b"?"
    with pl.Config(
        tbl_formatting="UTF8_FULL_CONDENSED" if has_lines else "ASCII_FULL_CONDENSED",
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        tbl_cols=columns,
        tbl_width_chars=10_000,
        fmt_str_lengths=40,
    ):
        try:
            return str(rows)
        except pl.exceptions.PanicException:  # a moment so far away that Polars cannot write it
            texts = {name: list(map(str, values_as_python(rows[name]))) for name in rows.columns}
            return str(pl.DataFrame(texts))
