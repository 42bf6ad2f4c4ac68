"""How a CSV file is written, found out from its beginning. Standard library only."""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TextIO

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.csv_records import Record, read_records
from polster_runtime.sources.files.encoding import (
    SAMPLE_BYTES,
    find_encoding,
    known_encoding,
    sample,
)
from polster_runtime.sources.files.found_files import DataFile

SEPARATORS = (",", ";", "\t", "|")
"""What is tried, in this order, where no separator is named."""
NO_SEPARATOR = "\x1f"
"""The separator of a file of one column: a control character, which no line has."""
MIN_ALIKE = 0.9
"""The share of rows that have as many fields as the header, if a separator is the right one."""
_SAMPLE_RECORDS = 1_000
_NAMED_SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*')
"""The first line of files that are meant for Excel."""
_COMMA_NUMBER = re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?")


@dataclass(frozen=True, kw_only=True)
class CsvOptions:
    """What is named; the rest is found out."""

    separator: str = ""
    encoding: str = ""
    decimal: str = ""
    quote: str = '"'
    header_row: int | None = None
    null: tuple[str, ...] = ()
    ragged: Literal["error", "keep"] = "error"
    types: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise SourceError for an option that cannot be."""
        for name, value, most in (("separator", self.separator, 1), ("quote", self.quote, 1)):
            if len(value) > most or value in {"\n", "\r"}:
                raise SourceError(f"{name} must be one character, not {value!r}", final=True)
        if self.quote and self.quote == self.separator:
            raise SourceError("separator and quote must differ", final=True)
        if self.ragged not in {"error", "keep"}:
            raise SourceError(f"ragged must be error or keep, not {self.ragged!r}", final=True)
        if self.decimal not in {"", ".", ","}:
            raise SourceError(f"decimal must be . or a comma, not {self.decimal!r}", final=True)
        if self.header_row is not None and self.header_row < 0:
            raise SourceError("header_row is 1 for the first line; 0 if there is none", final=True)


@dataclass(frozen=True, kw_only=True)
class CsvDialect:
    """How one file is written."""

    encoding: str
    separator: str
    quote: str
    line_end: Literal["\n", "\r"]
    r"""\n for lines that end with it or with \r\n; \r for those that end with \r alone."""
    decimal: str
    """The decimal sign that its numbers have: a point, or a comma."""
    header_line: int
    """The line that the names of the columns are on; 0 if there is none."""
    data_line: int
    """The line of the first row."""
    columns: tuple[str, ...]
    """None if the file is empty."""


def find_dialect(file: DataFile, options: CsvOptions) -> CsvDialect:
    """Return how a file is written. Raises SourceError, which names the file.

    The separator is the one by which most rows of the first mebibyte have as many fields as the
    header, and more than one.
    """
    data = sample(file)
    encoding = known_encoding(options.encoding) if options.encoding else find_encoding(file, data)
    text = _lines_of(data, encoding, file)
    line_end: Literal["\n", "\r"] = "\r" if _ends_with_cr(text) else "\n"
    lines = list(_split(text, line_end))
    if len(data) == SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # the last may be cut
    if options.header_row is None and lines and (named := _NAMED_SEPARATOR.fullmatch(lines[0])):
        options = dataclasses.replace(
            options, separator=options.separator or named[1], header_row=2
        )
    separator = options.separator or _separator(lines, options)
    records = _sample_records(lines, separator, options.quote, file.shown, options.header_row)
    header, rows = _header(records, options.header_row, file)
    return CsvDialect(
        encoding=encoding,
        separator=separator,
        quote=options.quote,
        line_end=line_end,
        decimal=options.decimal or _decimal(rows, separator),
        header_line=0 if header is None or options.header_row == 0 else header.line,
        data_line=header.line if options.header_row == 0 and header else _after(header),
        columns=_names(header, options.header_row),
    )


def _after(header: Record | None) -> int:
    return header.next_line if header else 1


def open_lines(path: Path, dialect: CsvDialect, name: str) -> Iterator[str]:
    """Yield the lines of a file with their ends. Raises SourceError where it has other bytes."""
    newline = "" if dialect.line_end == "\r" else "\n"
    with _text_of(path, dialect, newline, name) as text:
        yield from text


def open_blocks(path: Path, dialect: CsvDialect, name: str) -> Iterator[str]:
    r"""Yield the text of a file block by block; lines that end with \r end with \n.

    Raises SourceError where it has other bytes.
    """
    newline = None if dialect.line_end == "\r" else ""
    with _text_of(path, dialect, newline, name) as text:
        while block := text.read(SAMPLE_BYTES):
            yield block


@contextmanager
def _text_of(path: Path, dialect: CsvDialect, newline: str | None, name: str) -> Iterator[TextIO]:
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
    with path.open(encoding=encoding, newline=newline) as text:
        try:
            yield text
        except UnicodeError as error:
            raise SourceError(
                f"{name} is not all {dialect.encoding}: {error}; "
                "say which encoding it has: encoding=",
                final=True,
            ) from None


def _lines_of(data: bytes, encoding: str, file: DataFile) -> str:
    try:
        # Not final: the last character may be cut.
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeError as error:
        raise SourceError(f"{file.shown} is not {encoding}: {error}", final=True) from None
    return text.removeprefix("\ufeff")


def _ends_with_cr(text: str) -> bool:
    """Whether lines end with a carriage return alone."""
    alone = text.count("\r") - text.count("\r\n")
    return alone > text.count("\n")


def _split(text: str, line_end: str) -> Iterator[str]:
    yield from StringIO(text, newline="" if line_end == "\r" else "\n")


def _sample_records(
    lines: Sequence[str], separator: str, quote: str, name: str, header_row: int | None
) -> list[Record]:
    """Return the first records; those before one that is broken, if it is not the first."""
    skipped = max((header_row or 1) - 1, 0)
    found: list[Record] = []
    records = read_records(lines[skipped:], separator=separator, quote=quote, name=name)
    try:
        found.extend(
            Record(record.line + skipped, record.next_line + skipped, record.fields)
            for record in islice(records, _SAMPLE_RECORDS)
        )
    except SourceError:
        if not found and len(lines) < _SAMPLE_RECORDS:
            raise
    return found


def _separator(lines: Sequence[str], options: CsvOptions) -> str:
    best, most = "", (0.0, 0)
    for separator in SEPARATORS:
        if separator == options.quote or not any(separator in line for line in lines):
            continue
        try:
            records = _sample_records(lines, separator, options.quote, "", options.header_row)
        except SourceError:
            continue
        score = _score(records)
        if score[0] >= MIN_ALIKE and score[1] > 1 and score > most:
            best, most = separator, score
    return best or _other_separator(lines, options)


def _score(records: Sequence[Record]) -> tuple[float, int]:
    """Return the share of rows that are as wide as the header, and how wide that is."""
    if not records:
        return 0.0, 0
    width = len(records[0].fields)
    return sum(len(record.fields) == width for record in records) / len(records), width


def _other_separator(lines: Sequence[str], options: CsvOptions) -> str:
    """Return the separator that the header has, of a file whose rows differ in width."""
    header = lines[max((options.header_row or 1) - 1, 0) :][:1]
    counts = Counter({sign: line.count(sign) for line in header for sign in SEPARATORS})
    if counts.total():
        return counts.most_common(1)[0][0]
    written = [line for line in lines if line.strip()]
    for separator in SEPARATORS:
        if 2 * sum(separator in line for line in written) > len(written):
            return separator  # a title above the header: reading says which line is too long
    return NO_SEPARATOR


def _header(
    records: Sequence[Record], header_row: int | None, file: DataFile
) -> tuple[Record | None, Sequence[Record]]:
    if not records:
        if header_row and header_row > 1:
            raise SourceError(f"{file.shown} has no line {header_row}", final=True)
        return None, ()
    return records[0], records if header_row == 0 else records[1:]


def _names(header: Record | None, header_row: int | None) -> tuple[str, ...]:
    """Names of columns: what the header says; the number where it says nothing, or it twice."""
    if header is None:
        return ()
    fields = header.fields if header_row != 0 else [None] * len(header.fields)
    written = {name for name in fields if name}
    names: dict[str, None] = {}
    last: dict[str, int] = {}
    for number, field in enumerate(fields, start=1):
        first = name = field or f"column_{number}"
        while name in names or (name in written and name != field):
            last[first] = last.get(first, 1) + 1
            name = f"{first}_{last[first]}"
        names[name] = None
    return tuple(names)


def _decimal(rows: Sequence[Record], separator: str) -> str:
    """Return a comma, if a column has numbers with a comma and nothing else."""
    if separator == ",":
        return "."
    for column in range(max((len(row.fields) for row in rows), default=0)):
        texts = [text for row in rows if column < len(row.fields) and (text := row.fields[column])]
        if any("," in text for text in texts) and all(map(_COMMA_NUMBER.fullmatch, texts)):
            return ","
    return "."
