"""CSV files as frames of text: every value as it is in the file.

An ordinary file (UTF-8, lines that end with a line feed, quotes around whole fields) is read by
Polars as a stream; others are first written again in UTF-8, or read record by record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby
from math import isnan
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.batches import (
    FRAME_ROWS,
    Batches,
    aligned,
    batched,
    check_file_column,
    column_name,
    merged,
    with_file_column,
)
from polster_runtime.sources.files.csv_check import has_blank_lines, has_short_rows
from polster_runtime.sources.files.csv_dialect import CsvDialect, CsvOptions, find_dialect
from polster_runtime.sources.files.csv_part import CsvPart
from polster_runtime.sources.files.csv_types import typed_frames
from polster_runtime.sources.files.encoding import warn_of_guesses
from polster_runtime.sources.files.found_files import DataFile, check_unchanged, versions
from polster_runtime.sources.files.scratch import scratch_folder
from polster_runtime.sources.files.unpack import unpack_all

EXTRA = "_extra"
"""The column of the fields that a row has beyond its columns, with ragged="keep"."""
_GROUP_FILES = 200
"""How many files Polars opens at once."""


def csv_frames(
    files: Sequence[DataFile], options: CsvOptions | None = None, *, file_column: str = ""
) -> Batches:
    """Yield the rows of CSV files, all columns being text.

    The first frame is empty and has all columns, in the order in which the files have them; a
    column that a file lacks is null in its rows. An empty field is null, `""` an empty text. Raises
    SourceError, which names the file and the line.
    """
    with scratch_folder() as folder:
        before = versions(files)
        options = options or CsvOptions()
        parts = [
            CsvPart(file, find_dialect(file, options), options, folder)
            for file in unpack_all(files, folder)
        ]
        parts = [part for part in parts if part.dialect.columns]
        if not options.encoding:
            warn_of_guesses({part.file: part.encoding for part in parts})
        if not parts:
            raise SourceError(f"{_all(files)} empty: there is no header", final=True)
        schema = _schema(parts, options, file_column)
        frames = merged(aligned(frame, schema) for frame in _frames(parts, file_column))
        texts = chain([pl.DataFrame(schema=schema)], frames)
        yield from typed_frames(texts, options, parts) if options.types else texts
        check_unchanged(before)


def _all(files: Sequence[DataFile]) -> str:
    if len(files) == 1:
        return f"{files[0].shown} is"
    return f"all {len(files)} files, such as {files[0].shown}, are"


def _schema(
    parts: Sequence[CsvPart], options: CsvOptions, file_column: str
) -> dict[str, pl.DataType]:
    """Return the columns of all files. Raises SourceError for one that has none of the others'."""
    found: dict[str, pl.DataType] = {}
    for part in parts:
        own = part.dialect.columns
        if found and not found.keys() & set(own):
            raise SourceError(
                f"{part.file.shown} has none of the columns of the other files: "
                f"{', '.join(own)}; they have {', '.join(found)}; "
                "narrow the pattern, or check separator and header_row",
                final=True,
            )
        found |= dict.fromkeys(own, pl.String())
    if options.ragged == "keep":
        if EXTRA in found:
            raise SourceError(
                f'the files have a column {EXTRA} themselves, which ragged="keep" would add; '
                "read them without it",
                final=True,
            )
        found[EXTRA] = pl.List(pl.String())
    if file_column:
        check_file_column(file_column, found)
        found[file_column] = pl.String()
    return found


def _frames(parts: Iterable[CsvPart], file_column: str) -> Iterator[pl.DataFrame]:
    for key, group in groupby(parts, _reader_of):
        some = list(group)
        if key is None:
            for part in some:
                for frame in _frames_of_records(part):
                    yield with_file_column(frame, file_column, part.file)
        else:
            for start in range(0, len(some), _GROUP_FILES):
                yield from _ordinary_frames(some[start : start + _GROUP_FILES], file_column)


def _reader_of(part: CsvPart) -> CsvDialect | None:
    """Files that Polars may read together have the same; None for those it may not read."""
    return replace(part.dialect, encoding="", decimal="") if part.is_ordinary else None


def _ordinary_frames(parts: Sequence[CsvPart], file_column: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of files of the same dialect, read by Polars until there is a blank line."""
    rows = 0
    try:
        for frame in _read_by_polars(parts, file_column):
            rows += frame.height
            yield frame
    except _BlankLinesError:
        yield from _further_records(parts, rows, file_column)


class _BlankLinesError(Exception):
    """Polars reads a blank line as a row of nulls."""


def _read_by_polars(parts: Sequence[CsvPart], file_column: str) -> Iterator[pl.DataFrame]:
    columns, nulls = parts[0].dialect.columns, parts[0].options.null
    may_be_short, may_be_blank, size = False, True, 0
    plain = sum(part.check.plain_bytes for part in parts)
    lengths = pl.sum_horizontal(pl.col(*columns).str.len_bytes().sum())
    try:
        for frame in _scanned(parts, file_column).collect_batches(maintain_order=True):
            if may_be_blank and _has_rows_of_nulls(frame, columns):
                _refuse_blank_lines(parts)
                may_be_blank = False
            may_be_short = may_be_short or frame[columns[-1]].null_count() > 0
            if not isnan(plain):
                size += frame.select(lengths).item() + frame.height * len(columns)
            yield frame
    except PolarsError as error:
        _refuse_blank_lines(parts)
        raise _culprit(parts, error) from None
    # Each field has one byte after it, unless a row is short, or there are quotes.
    if may_be_short and (nulls or size != plain):
        doubtful = [part for part in parts if part.check.has_plain]
        if any(has_short_rows(part.path, part.dialect) for part in doubtful):
            raise _culprit(parts, None)


def _scanned(parts: Sequence[CsvPart], file_column: str) -> pl.LazyFrame:
    dialect, options = parts[0].dialect, parts[0].options
    texts = pl.scan_csv(
        [part.path for part in parts],
        has_header=False,
        skip_lines=dialect.data_line - 1,
        schema=dict.fromkeys(dialect.columns, pl.String),
        separator=dialect.separator,
        quote_char=dialect.quote or None,
        null_values=list(options.null) or None,
        glob=False,
        include_file_paths=file_column or None,
    )
    if file_column:
        names = {str(part.path): column_name(part.file) for part in parts}
        texts = texts.with_columns(pl.col(file_column).replace_strict(names))
    return texts


def _refuse_blank_lines(parts: Sequence[CsvPart]) -> None:
    if any(has_blank_lines(part.path, part.dialect) for part in parts):
        raise _BlankLinesError


def _has_rows_of_nulls(frame: pl.DataFrame, columns: Sequence[str]) -> bool:
    texts = frame.select(columns)
    if not all(column.null_count() for column in texts.iter_columns()):
        return False
    return bool(texts.select(pl.all_horizontal(pl.all().is_null()).any()).item())


def _further_records(
    parts: Sequence[CsvPart], known: int, file_column: str
) -> Iterator[pl.DataFrame]:
    """Yield the rows of files one by one, without so many at the beginning."""
    for part in parts:
        for frame in _frames_of_records(part):
            if frame.height > known:
                yield with_file_column(frame.slice(known), file_column, part.file)
            known = max(known - frame.height, 0)


def _culprit(parts: Iterable[CsvPart], error: PolarsError | None) -> SourceError:
    """Return what is wrong with which of some files."""
    for part in parts:
        try:
            deque(part.records(), maxlen=0)
        except SourceError as found:
            return found
    names = ", ".join(part.file.shown for part in parts)
    return SourceError(f"{names}: {error or 'rows differ in width'}", final=True)


def _frames_of_records(part: CsvPart) -> Iterator[pl.DataFrame]:
    columns, nulls = part.dialect.columns, frozenset(part.options.null)
    width, keeps = len(columns), part.options.ragged == "keep"
    schema: dict[str, Any] = dict.fromkeys(columns, pl.String)
    if keeps:
        schema[EXTRA] = pl.List(pl.String)
    for batch in batched(part.records(), FRAME_ROWS):
        rows = [record.fields for record in batch]
        if nulls:
            rows = [[None if field in nulls else field for field in row] for row in rows]
        if keeps:
            rows = [_kept(row, width) for row in rows]
        yield pl.DataFrame(rows, schema=schema, orient="row")


def _kept(row: list[Any], width: int) -> list[Any]:
    """Return a row of any width as one of `width` fields and a list of those beyond."""
    missing = [None] * (width - len(row))
    extra = ["" if field is None else field for field in row[width:]] or None
    return [*row[:width], *missing, extra]
