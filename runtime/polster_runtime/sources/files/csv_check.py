"""Whether Polars reads a CSV file as it is written; it does so far faster than Python could.

Polars makes rows of nulls out of blank lines, fills up short rows without a word, and drops quotes
that are inside quoted fields. So all of a file is looked at first, and short rows are noticed by
the number of separators.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from polster_runtime.sources.files.csv_dialect import CsvDialect

_BLOCK_BYTES = 2**18
"""What fits into the cache of a processor: larger blocks take twice the time."""
_QUOTED_BYTES = 2**20
"""How far a quoted field may go on after the end of a block."""


class _NotOrdinaryError(Exception):
    """A file with quotes where Polars expects none."""


@dataclass(frozen=True, kw_only=True)
class CsvCheck:
    """What was seen in the rows of a file."""

    is_utf8: bool
    has_quotes: bool = False
    is_ordinary: bool = False
    """Whether Polars reads the same as `read_records`, save for rows that are too short."""


def check_csv(path: Path, dialect: CsvDialect) -> CsvCheck:
    """Look at all rows of a file whose lines end with a line feed."""
    quote, has_quotes = dialect.quote.encode(), False
    for block in _blocks(path, dialect.data_line - 1):
        text = _as_text(block)
        if text is None:
            return CsvCheck(is_utf8=False)
        has_quotes = has_quotes or bool(quote and quote in block)
        blank = ["\n\n", "\n\r\n"] if b"\r" in block else ["\n\n"]
        if block.startswith((b"\n", b"\r\n")) or any(
            text.str.contains(ends, literal=True).item() for ends in blank
        ):
            return CsvCheck(is_utf8=True, has_quotes=has_quotes)
    well_quoted = not has_quotes or _is_well_quoted(path, dialect)
    return CsvCheck(is_utf8=True, has_quotes=has_quotes, is_ordinary=well_quoted)


def count_separators(path: Path, dialect: CsvDialect, *, has_quotes: bool) -> int:
    """Return how many separators the rows of an ordinary file have, outside of quoted fields."""
    separator, skipped = dialect.separator.encode(), dialect.data_line - 1
    if not has_quotes:
        return sum(block.count(separator) for block in _blocks(path, skipped))
    quote = dialect.quote.encode()
    return sum(_outside(block, quote).count(separator) for block in _whole(path, skipped, quote))


def _is_well_quoted(path: Path, dialect: CsvDialect) -> bool:
    """Whether quotes enclose whole fields, and are doubled where they are inside of one."""
    quote, separator = dialect.quote.encode(), dialect.separator.encode()
    ends = (separator, b"\n", b"\r\n")
    try:
        for block in _whole(path, dialect.data_line - 1, quote):
            outside = b"\n" + _outside(block, quote) + b"\n"
            while quote + quote in outside:
                outside = outside.replace(quote + quote, quote)
            fields = outside.count(quote)
            opened = outside.count(separator + quote) + outside.count(b"\n" + quote)
            closed = sum(outside.count(quote + end) for end in ends)
            if not fields == opened == closed:
                return False
    except _NotOrdinaryError:
        return False
    return True


def _outside(block: bytes, quote: bytes) -> bytes:
    """Return what is outside of quotes, with one quote in place of each quoted text."""
    return quote.join(block.split(quote)[::2])


def _blocks(path: Path, skipped_lines: int) -> Iterator[bytes]:
    """Yield the rows of a file in blocks of whole lines."""
    with path.open("rb") as data:
        for _ in range(skipped_lines):
            data.readline()
        while block := data.read(_BLOCK_BYTES):
            yield block if block.endswith(b"\n") else block + data.readline()


def _whole(path: Path, skipped_lines: int, quote: bytes) -> Iterator[bytes]:
    """Yield the rows of a file in blocks that do not end within quotes."""
    with path.open("rb") as data:
        for _ in range(skipped_lines):
            data.readline()
        while block := data.read(_BLOCK_BYTES) + data.readline():
            held, odd, further = [block], block.count(quote) % 2, 0
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
