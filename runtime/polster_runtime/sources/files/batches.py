"""Frames of many files as a stream of frames that all have the same columns."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import polars as pl
from polars.exceptions import PanicException, PolarsError

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.found_files import DataFile

FRAME_ROWS = 50_000
"""Rows that are handed on together at least, of many small files too,"""
_FRAME_BYTES = 2**25
"""unless they are as large as this."""

Batches = Generator[pl.DataFrame, None, None]
"""What the readers return: first a frame without rows, then the rows."""


_Item = TypeVar("_Item")


def batched(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield lists of so many items; `itertools.batched` is there from Python 3.12 on."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def merged(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield frames of the same columns, small ones together."""
    held: list[pl.DataFrame] = []
    rows, size = 0, 0.0
    for frame in frames:
        if not frame.height:
            continue
        held.append(frame)
        rows += frame.height
        size += frame.estimated_size()
        if rows >= FRAME_ROWS or size >= _FRAME_BYTES:
            yield held[0] if len(held) == 1 else pl.concat(held)
            held, rows, size = [], 0, 0.0
    if held:
        yield pl.concat(held)


def aligned(frame: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return a frame with all columns of a schema: null where it has none of that name."""
    known = frame.schema
    if list(known.items()) == list(schema.items()):
        return frame
    return frame.select(
        pl.col(name).cast(kind) if name in known else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )


def check_file_column(column: str, columns: Iterable[str]) -> None:
    """Raise SourceError if files have a column of that name themselves."""
    if column in columns:
        raise SourceError(
            f"the files have a column {column} themselves; choose another file_column", final=True
        )


def with_file_column(frame: pl.DataFrame, column: str, file: DataFile) -> pl.DataFrame:
    """Return a frame with the name of its file in a column, if one is wanted."""
    if not column:
        return frame
    # A name that is not UTF-8 has characters that no column can hold.
    return frame.with_columns(pl.lit(column_name(file)).alias(column))


def column_name(file: DataFile) -> str:
    """Return a file's name as a column can hold it."""
    return file.name.encode("utf-8", "replace").decode()


@contextmanager
def polars_errors(file: DataFile) -> Iterator[None]:
    """Turn what Polars raises for a file into a SourceError that names it."""
    try:
        yield
    except PolarsError as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise SourceError(f"{file.shown} cannot be read: {said}", final=True) from None
    except PanicException as error:
        raise SourceError(f"{file.shown} cannot be read: {panic(error)}", final=True) from None


def panic(error: BaseException) -> str:
    """Return what a panic of Polars says, without its Rust."""
    text = str(error)
    return text.partition('ErrString("')[2].partition('")')[0] or text.partition("\n")[0]
