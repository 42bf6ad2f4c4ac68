"""Files as they are: CSV, JSON, Excel, Parquet, packed or not.

    def extract() -> Frames:
        return read_csv("data/in/orders-*.csv")

Relative patterns start at the project's directory. Only what has come since the last run:

    def extract(position: Position) -> Frames:
        found = new_files("data/in/orders-*.csv", position)
        yield from read_csv(found)
        return found.position

What is wrong with a file is a SourceError, which names the file, and the line or the record.
Importing this needs nothing but the standard library; reading needs Polars, and workbooks need
fastexcel and python-calamine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from polster_runtime.config.root import project_root
from polster_runtime.errors import SourceError
from polster_runtime.sources.files.csv_dialect import CsvOptions
from polster_runtime.sources.files.found_files import DataFile, NoFiles, find_files
from polster_runtime.sources.files.positions import NewFiles, new_files

if TYPE_CHECKING:
    from polster_runtime.sources.files.batches import Batches

__all__ = [
    "DataFile",
    "NewFiles",
    "NoFiles",
    "SourceError",
    "find_files",
    "new_files",
    "read_csv",
    "read_excel",
    "read_json",
    "read_parquet",
]

Files = str | Path | NewFiles | Sequence[DataFile]
"""A pattern, what `new_files` has found, or files."""


def read_csv(  # noqa: PLR0913 - each says how files are written
    files: Files,
    *,
    separator: str = "",
    encoding: str = "",
    quote: str = '"',
    header_row: int | None = None,
    null: str | Iterable[str] = (),
    ragged: Literal["error", "keep"] = "error",
    types: Mapping[str, Any] = MappingProxyType({}),
    decimal: str = "",
    file_column: str = "",
) -> Batches:
    """Yield the rows of CSV files; all columns are text, byte for byte.

    Separator and encoding are found out, if they are not named. What is not UTF-8 is taken for
    cp1252, with a warning: text of old Macs (mac_roman) and of DOS (cp850) cannot always be told
    from it, so name the encoding. `header_row` is the line of the
    header, 0 if there is none; else the first that is not blank. An empty field is null, and so
    is a text that `null` names. A row that is too long or too short is an error, or is kept:
    fields beyond the columns in the column `_extra`. A column that a file lacks is null in its
    rows.

    `types` are those of some columns, {"price": "Decimal(10, 2)", "sold": "Date"}, of Boolean,
    Date, Datetime, Decimal, Float64, Int64, Time: what is no value of its type, or would not be the
    same in it (01234, 1.7 as an integer), is an error. `decimal` is the sign of their numbers: with
    "," 1.234,50 is 1234.50. An empty field in quotes is null there, too.
    """
    from polster_runtime.sources.files.csv_reader import csv_frames

    options = CsvOptions(
        separator=separator,
        encoding=encoding,
        quote=quote,
        header_row=header_row,
        null=(null,) if isinstance(null, str) else tuple(null),
        ragged=ragged,
        types=types,
        decimal=decimal,
    )
    if found := _found(files):
        yield from csv_frames(found, options, file_column=file_column)


def read_json(files: Files, *, records: str = "", file_column: str = "") -> Batches:
    """Yield the records of JSON files: lists of them, one a line, or a document each.

    The types are those of all records of all files; values that no type holds exactly become text.
    `records` is the path of the list inside of a document, such as data.items.
    """
    from polster_runtime.sources.files.json_reader import json_frames

    if found := _found(files):
        yield from json_frames(found, records=records, file_column=file_column)


def read_excel(
    files: Files,
    *,
    sheet: str | int = "",
    header_row: int | None = None,
    file_column: str = "",
) -> Batches:
    """Yield the rows of workbooks; a column whose cells differ in type is text.

    `sheet` is a name, a number from 1 on, or a pattern; the first if it is not given. The header is
    the first row with more than one cell, or `header_row`, the first being 1. An error in a cell,
    such as #DIV/0!, is its text; in .ods it is an error.
    """
    from polster_runtime.sources.files.excel_reader import excel_frames

    if found := _found(files):
        yield from excel_frames(found, sheet=sheet, header_row=header_row, file_column=file_column)


def read_parquet(files: Files, *, file_column: str = "") -> Batches:
    """Yield the rows of Parquet files, or of all in a directory.

    Folders such as year=2025 become columns, UUID and JSON become text. Types of a column that
    differ between files become one that holds the values of both, or are an error.
    """
    from polster_runtime.sources.files.parquet_reader import parquet_frames

    if isinstance(files, str | Path) and (_root(files) / files).is_dir():
        files = f"{files}/**/*.parquet"
    if found := _found(files):
        yield from parquet_frames(found, file_column=file_column)


def _root(pattern: str | Path) -> Path:
    """The directory that a pattern starts at: the project's, if it is relative."""
    return Path.cwd() if Path(pattern).is_absolute() else project_root()


def _found(files: Files) -> Sequence[DataFile]:
    if isinstance(files, NewFiles):
        return files.files
    if isinstance(files, str | Path):
        return find_files(files, _root(files), skip=("~$",))
    return files
