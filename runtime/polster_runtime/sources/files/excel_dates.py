"""Numbers of workbooks in a format of dates that are no dates.

Excel counts days from 1 January 1900 on, as if there had been a 29 February in that year. Libraries
read that day, 60, as the 28th, and numbers below zero as midnight.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import chain
from typing import Any

import polars as pl

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.excel_errors import number_of, part_of
from polster_runtime.sources.files.found_files import DataFile

_FIRST_CERTAIN = datetime(1900, 3, 1)  # noqa: DTZ001 - cells have no time zone
_NO_DATE = datetime(1899, 12, 31)  # noqa: DTZ001
"""Times of a day are read by fastexcel as times of this day, numbers below zero as earlier ones."""
_DAY_BEFORE = date(1900, 2, 28)
_FORMULA = rb"(?:<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*)?"
_ODD = re.compile(
    rb'<(?:\w+:)?c\b[^>]*?\sr="(?P<column>[A-Z]+)(?P<row>\d+)"[^>]*>\s*'
    + _FORMULA
    + rb"<(?:\w+:)?v>(?:-|(?P<day>60(?:\.\d*)?<))"
)
"""A cell whose number is below zero, or the day that there was not."""


def has_odd_dates(column: pl.Series, file: DataFile, sheet: str) -> bool:
    """Whether a column of times has some that must be looked at cell by cell.

    Raises SourceError where one is no date at all.
    """
    first: Any = column.min()
    if first is not None and first < _NO_DATE:
        raise _no_date(file, sheet, column.name)
    return first is not None and first < _FIRST_CERTAIN


def check_dates(rows: Sequence[Sequence[Any]], file: DataFile, sheet: str) -> None:
    """Raise SourceError for a cell that was read as a date or a time, and is none."""
    kinds = set(map(type, chain.from_iterable(rows)))
    days = set(_days_before(rows)) if kinds & {date, datetime} else set[tuple[int, int]]()
    if not days and time not in kinds:
        return
    if (found := _odd_cells(file, sheet)) is None:
        if days:
            raise SourceError(
                f"{file.shown}, sheet {sheet}: whether row {min(days)[0] + 1} has 28 February 1900 "
                "or the 29th, which Excel knows alone, cannot be told; save the workbook as .xlsx",
                final=True,
            )
        return
    for (row, column), is_day in sorted(found.items()):
        if is_day and (row, column) in days:
            raise SourceError(
                f"{file.shown}, sheet {sheet}: row {row + 1} has 29 February 1900, a day that only "
                "Excel knows; correct the cell, or its format",
                final=True,
            )
        if not is_day and rows[row][column] == time():
            raise _no_date(file, sheet, f"row {row + 1}")


def _days_before(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, int]]:
    """Yield the cells that were read as 28 February 1900."""
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, date) and cell.year == _DAY_BEFORE.year:
                day = cell.date() if isinstance(cell, datetime) else cell
                if day == _DAY_BEFORE:
                    yield number, column


def _odd_cells(file: DataFile, sheet: str) -> dict[tuple[int, int], bool] | None:
    """Return row and column of odd numbers, both from 0 on, and whether it is the odd day.

    None for workbooks whose numbers are not known: all but .xlsx, and .ods, whose dates are text.
    """
    if not zipfile.is_zipfile(file.path):
        return None
    with zipfile.ZipFile(file.path) as book:
        if part := part_of(book, sheet):
            cells = _ODD.finditer(book.read(part))
            return {
                (int(cell["row"]) - 1, number_of(cell["column"])): bool(cell["day"])
                for cell in cells
            }
        return {} if "content.xml" in book.namelist() else None


def _no_date(file: DataFile, sheet: str, place: str) -> SourceError:
    return SourceError(
        f"{file.shown}, sheet {sheet}: {place} has a number below zero in a format of dates, "
        "which is no date; correct the cell, or its format",
        final=True,
    )
