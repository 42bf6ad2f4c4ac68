"""CSV files as frames of text: every value as it is in the file.

An ordinary file (UTF-8, lines that end with a line feed, quotes around whole fields) is read by
Polars as a stream; others are first written again in UTF-8, or read record by record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, islice
from pathlib import Path
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
from polster_runtime.sources.files.csv_check import CsvCheck, check_csv, has_short_rows
from polster_runtime.sources.files.csv_dialect import (
    CsvDialect,
    CsvOptions,
    find_dialect,
    open_blocks,
    open_lines,
)
from polster_runtime.sources.files.csv_records import Record, read_records
from polster_runtime.sources.files.csv_types import typed_frames
from polster_runtime.sources.files.encoding import (
    SAMPLE_BYTES,
    find_encoding,
    first_not_utf8,
    guess,
    warn_of_guesses,
)
from polster_runtime.sources.files.found_files import DataFile, check_unchanged, versions
from polster_runtime.sources.files.scratch import scratch_folder
from polster_runtime.sources.files.unpack import unpack_all

EXTRA = "_extra"
"""The column of the fields that a row has beyond its columns, with ragged="keep"."""
_UTF8 = frozenset({"utf-8", "utf-8-sig", "ascii"})
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
            _Part(file, find_dialect(file, options), options, folder)
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
    parts: Sequence[_Part], options: CsvOptions, file_column: str
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
        found[EXTRA] = pl.List(pl.String())
    if file_column:
        check_file_column(file_column, found)
        found[file_column] = pl.String()
    return found


class _Part:
    """One file, as it is or written again in UTF-8."""

    def __init__(
        self, file: DataFile, dialect: CsvDialect, options: CsvOptions, folder: Path
    ) -> None:
        self.file, self.dialect, self.options, self.folder = file, dialect, options, folder
        self.path = file.path
        self.encoding = dialect.encoding
        """What the file was written in; `dialect` has that of `path`."""
        self.check = CsvCheck(is_utf8=False)
        if dialect.columns:
            self._prepare()

    @property
    def is_ordinary(self) -> bool:
        """Whether Polars may read it."""
        return self.check.is_ordinary and self.options.ragged == "error"

    def _prepare(self) -> None:
        if self.dialect.encoding in _UTF8 and self.dialect.line_end == "\n":
            self.check = check_csv(self.path, self.dialect)
            if self.check.is_utf8:
                return
            self.encoding = self._encoding_of_the_rest()
            self.dialect = replace(self.dialect, encoding=self.encoding)
        if self._recode():
            self.check = check_csv(self.path, self.dialect)

    def _encoding_of_the_rest(self) -> str:
        """Return the encoding of a file that begins in UTF-8, or ASCII, and does not go on so."""
        offset = first_not_utf8(self.path) or 0
        with self.path.open("rb") as data:
            line = 1 + data.read(offset).count(b"\n") if offset < SAMPLE_BYTES else 0
            data.seek(max(offset - SAMPLE_BYTES // 2, 0))
            around = data.read(SAMPLE_BYTES)
        if self.options.encoding or self.dialect.encoding == "utf-8-sig":
            where = f", line {line}" if line else f", byte {offset:,}"
            raise SourceError(
                f"{self.file.shown}{where}: not UTF-8; say which encoding it has: "
                f"encoding={guess(around)!r}",
                final=True,
            )
        return find_encoding(self.file, around)

    def _recode(self) -> bool:
        """Write the file again in UTF-8, its lines ending with a line feed.

        False where a carriage return may be part of a quoted field.
        """
        quote, ends_with_cr = self.dialect.quote, self.dialect.line_end == "\r"
        target = self.folder / f"{self.path.name}-{len(list(self.folder.iterdir()))}.utf8"
        with target.open("w", encoding="utf-8", newline="") as out:
            for text in open_blocks(self.path, self.dialect, self.file.shown):
                if ends_with_cr and quote and quote in text:
                    return False
                out.write(text)
        self.path = target
        self.dialect = replace(self.dialect, encoding="utf-8", line_end="\n")
        return True

    def records(self) -> Iterator[Record]:
        """Yield the rows, one by one. Raises SourceError for one that is too short or too long."""
        dialect, width = self.dialect, len(self.dialect.columns)
        keeps = self.options.ragged == "keep"
        lines = open_lines(self.path, dialect, self.file.shown)
        for record in read_records(
            islice(lines, dialect.data_line - 1, None),
            separator=dialect.separator,
            quote=dialect.quote,
            name=self.file.shown,
            first_line=dialect.data_line,
        ):
            if len(record.fields) != width and not keeps:
                raise self._ragged(record, width)
            yield record

    def _ragged(self, record: Record, width: int) -> SourceError:
        count, dialect = len(record.fields), self.dialect
        fields = "1 field" if count == 1 else f"{count} fields"
        return SourceError(
            f"{self.file.shown}, line {record.line}: {fields}, but the header has {width}; "
            f"if separator={dialect.separator!r} and header_row={dialect.header_line} are wrong, "
            'name them, or keep such rows with ragged="keep"',
            final=True,
        )


def _frames(parts: Iterable[_Part], file_column: str) -> Iterator[pl.DataFrame]:
    for key, group in groupby(parts, _reader_of):
        some = list(group)
        if key is None:
            for part in some:
                for frame in _frames_of_records(part):
                    yield with_file_column(frame, file_column, part.file)
        else:
            for start in range(0, len(some), _GROUP_FILES):
                yield from _ordinary_frames(some[start : start + _GROUP_FILES], file_column)


def _reader_of(part: _Part) -> CsvDialect | None:
    """Files that Polars may read together have the same; None for those it may not read."""
    return replace(part.dialect, encoding="", decimal="") if part.is_ordinary else None


def _ordinary_frames(parts: Sequence[_Part], file_column: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of files of the same dialect, read by Polars."""
    dialect, options = parts[0].dialect, parts[0].options
    last, may_be_short, size = dialect.columns[-1], False, 0
    lengths = pl.sum_horizontal(pl.col(*dialect.columns).str.len_bytes().sum())
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
    try:
        for frame in texts.collect_batches(maintain_order=True):
            may_be_short = may_be_short or frame[last].null_count() > 0
            size += frame.select(lengths).item() + frame.height * len(dialect.columns)
            yield frame
    except PolarsError as error:
        raise _culprit(parts, error) from None
    # Each field has one byte after it, unless a row is short, or there are quotes.
    plain = sum(part.check.plain_bytes for part in parts)
    doubtful = may_be_short and (options.null or size != plain)
    if doubtful and any(has_short_rows(part.path, part.dialect) for part in parts):
        raise _culprit(parts, None)


def _culprit(parts: Iterable[_Part], error: PolarsError | None) -> SourceError:
    """Return what is wrong with which of some files."""
    for part in parts:
        try:
            deque(part.records(), maxlen=0)
        except SourceError as found:
            return found
    names = ", ".join(part.file.shown for part in parts)
    return SourceError(f"{names}: {error or 'rows differ in width'}", final=True)


def _frames_of_records(part: _Part) -> Iterator[pl.DataFrame]:
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
