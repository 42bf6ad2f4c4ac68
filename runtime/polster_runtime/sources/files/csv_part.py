"""One CSV file, as it is or written again in UTF-8."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.csv_check import CsvCheck, check_csv
from polster_runtime.sources.files.csv_dialect import (
    CsvDialect,
    CsvOptions,
    open_blocks,
    open_lines,
)
from polster_runtime.sources.files.csv_records import Record, read_records
from polster_runtime.sources.files.encoding import (
    SAMPLE_BYTES,
    find_encoding,
    first_not_utf8,
    guess,
)
from polster_runtime.sources.files.found_files import DataFile

_UTF8 = frozenset({"utf-8", "utf-8-sig", "ascii"})


class CsvPart:
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
        """Whether Polars may read it; its separators and quotes are single bytes."""
        has_bytes = (self.dialect.separator + self.dialect.quote).isascii()
        return has_bytes and self.check.is_ordinary and self.options.ragged == "error"

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
