"""Whether Polars reads a CSV file as it is written; it does so far faster than Python could.

Polars makes rows of nulls out of blank lines, fills up short rows without a word, and drops quotes
that are inside quoted fields. So all of a file is looked at first: where it has quotes, a regular
expression says what rows must be like; where it has none, short rows are noticed by the number of
separators, and blank lines are looked for once there is a row of nulls.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import nan
from pathlib import Path

import polars as pl

from polster_runtime.sources.files.batches import batched
from polster_runtime.sources.files.csv_dialect import CsvDialect
from polster_runtime.sources.files.encoding import first_not_utf8

_BLOCK_BYTES = 2**19
"""What fits into the cache of a processor: larger blocks take twice the time."""
_QUOTED_BYTES = 2**20
"""How far a quoted field may go on after the end of a block."""
_MAX_COLUMNS = 1_000
"""Up to how many columns the regular expression of a row stays small."""


class _NotOrdinaryError(Exception):
    """A file with quotes where Polars expects none."""


@dataclass(frozen=True, kw_only=True)
class CsvCheck:
    """What was seen in the rows of a file."""

    is_utf8: bool
    is_ordinary: bool = False
    """Whether Polars reads the same as `read_records`, save for short rows and blank lines."""
    plain_bytes: float = nan
    """The bytes of rows that have neither quotes nor carriage returns, each line with its end."""
    has_plain: bool = True
    """Whether there are rows that were not looked at one by one, since they have no quotes."""


def check_csv(path: Path, dialect: CsvDialect) -> CsvCheck:
    """Look at all rows of a file whose lines end with a line feed."""
    look = partial(_look, quote=dialect.quote.encode(), quoted_rows=_quoted_rows(dialect))
    workers = min(4, os.cpu_count() or 1, path.stat().st_size // _BLOCK_BYTES)
    try:
        if workers <= 1:
            return _together(map(look, _blocks(path, dialect)))
        with ThreadPoolExecutor(workers) as pool:
            groups = batched(_blocks(path, dialect), 4 * workers)
            return _together(check for some in groups for check in pool.map(look, some))
    except _NotOrdinaryError:
        return CsvCheck(is_utf8=first_not_utf8(path) is None)


def has_short_rows(path: Path, dialect: CsvDialect) -> bool:
    """Whether an ordinary file has too few separators for its rows."""
    separator, quote = dialect.separator.encode(), dialect.quote.encode()
    wanted = len(dialect.columns) - 1
    for block in _blocks(path, dialect):
        if quote and quote in block:
            continue  # was looked at row by row
        rows = block.count(b"\n") + (not block.endswith(b"\n"))
        if block.count(separator) != rows * wanted:
            return True
    return False


def has_blank_lines(path: Path, dialect: CsvDialect) -> bool:
    """Whether a file that `check_csv` calls ordinary has lines without anything."""
    quote = dialect.quote.encode()
    return any(
        block.startswith((b"\n", b"\r\n")) or b"\n\n" in block or b"\n\r\n" in block
        for block in _blocks(path, dialect)
        if not (quote and quote in block)  # was looked at row by row
    )


def _together(checks: Iterable[CsvCheck]) -> CsvCheck:
    is_utf8, is_ordinary, plain_bytes, has_plain = True, True, 0.0, False
    for check in checks:
        is_utf8 &= check.is_utf8
        is_ordinary &= check.is_ordinary
        plain_bytes += check.plain_bytes
        has_plain |= check.has_plain
    return CsvCheck(
        is_utf8=is_utf8, is_ordinary=is_ordinary, plain_bytes=plain_bytes, has_plain=has_plain
    )


def _look(block: bytes, *, quote: bytes, quoted_rows: str) -> CsvCheck:
    has_quotes = bool(quote) and quote in block
    text = None if block.isascii() and not has_quotes else _as_text(block)
    if text is None and not block.isascii():
        return CsvCheck(is_utf8=False)
    if text is not None and has_quotes:
        good = bool(quoted_rows) and text.str.contains(quoted_rows).item()
        return CsvCheck(is_utf8=True, is_ordinary=good, has_plain=False)
    size = nan if b"\r" in block else len(block) + (not block.endswith(b"\n"))
    return CsvCheck(is_utf8=True, is_ordinary=True, plain_bytes=size)


def _quoted_rows(dialect: CsvDialect) -> str:
    """Return what matches rows with a field for each column, quoted or without quotes in it."""
    columns = len(dialect.columns)
    if not dialect.quote or columns > _MAX_COLUMNS:
        return ""
    quote, separator = (f"\\x{{{ord(sign):x}}}" for sign in (dialect.quote, dialect.separator))
    plain = f"[^{quote}{separator}\\r\\n]" + ("+" if columns == 1 else "*")  # no blank line
    field = f"(?:{quote}(?:[^{quote}]|{quote}{quote})*{quote}|{plain})"
    row = f"{field}(?:{separator}{field}){{{columns - 1}}}"
    return rf"\A(?:{row}\r?\n)*(?:{row})?\z"


def _blocks(path: Path, dialect: CsvDialect) -> Iterator[bytes]:
    """Yield the rows of a file in blocks that end with a line, and not within quotes."""
    quote = dialect.quote.encode()
    with path.open("rb") as data:
        for _ in range(dialect.data_line - 1):
            data.readline()
        while block := data.read(_BLOCK_BYTES):
            block += data.readline()
            held, further = [block], 0
            odd = quote in block and block.count(quote) % 2 if quote else 0
            while odd:
                line = data.readline()
                further += len(line)
                if not line or further > _QUOTED_BYTES:
                    raise _NotOrdinaryError
                held.append(line)
                odd ^= line.count(quote) % 2
            yield b"".join(held)


def _as_text(block: bytes) -> pl.Series | None:
    """Return a block as one text of Polars; None if it is not UTF-8."""
    try:
        return pl.Series([block]).cast(pl.String)
    except pl.exceptions.PolarsError:
        return None
