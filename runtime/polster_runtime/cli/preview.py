"""Show the stored rows of an asset, its columns, or its snapshots.

python -m polster_runtime preview silver_orders [--rows 10] [--json]
python -m polster_runtime preview silver_orders --history [--json]
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from polster_runtime.assets.keys import name_of
from polster_runtime.assets.values import rows_as_python
from polster_runtime.config.logging import configure
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import NoData, PipelineError
from polster_runtime.execution import report
from polster_runtime.storage.description import (
    FEW,
    Column,
    Described,
    columns,
    described,
    newest,
    rejected_rows,
)
from polster_runtime.storage.partitions import chosen
from polster_runtime.storage.registry import store
from polster_runtime.storage.store import Store

LONGEST = 28
"""Characters of a smallest or largest value that are shown."""
UNITS = ("B", "KB", "MB", "GB", "TB")


@dataclass(frozen=True, kw_only=True)
class Past(Described):
    """A snapshot among others: with the rows that were rejected, and the number of its files."""

    rejected: int
    files: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("asset")
    parser.add_argument("--rows", type=int, default=10, help="at most; 10 unless given")
    parser.add_argument("--history", action="store_true", help="list the snapshots that are there")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def main(arguments: argparse.Namespace) -> int:
    """Carry out a command line; return the exit code."""
    asset = AssetId.parse(arguments.asset)
    show = _history if arguments.history else _latest
    try:
        configure()
        report.say(*show(store(), asset, arguments))
    except NoData as error:
        report.say(
            f"error: {error.asset} has no data yet",
            f"hint: run it with  polster run {chosen(error.asset)}",
            to=sys.stderr,
        )
        return 1
    except (PipelineError, OSError) as error:
        report.say(f"error: {arguments.asset}: {error}", to=sys.stderr)
        return 1
    return 0


def _latest(data: Store, asset: AssetId, arguments: argparse.Namespace) -> Iterator[str]:
    """The newest snapshot: where it is, its columns and its first rows."""
    snapshot = newest(data, asset)
    found, frame = described(data, asset, snapshot), data.scan(snapshot)
    known, rows = columns(frame, found.rows), frame.head(arguments.rows).collect()
    if arguments.json:
        shown = {"columns": [asdict(column) for column in known], "preview": rows_as_python(rows)}
        yield _document({**asdict(found), **shown})
    else:
        yield from _latest_text(found, known, rows)


def _history(data: Store, asset: AssetId, arguments: argparse.Namespace) -> Iterator[str]:
    """Every snapshot that is still there, the newest first."""
    every = [
        Past(
            **asdict(described(data, chain, one)),
            rejected=rejected_rows(data, chain, one),
            files=len(one.paths),
        )
        for chain in data.chains(asset)
        for one in reversed(data.snapshots(chain))
    ]
    if not every:
        raise NoData(asset)
    if arguments.json:
        yield _document({"asset": every[0].asset, "snapshots": [asdict(past) for past in every]})
        return
    head = ("WRITTEN", "ROWS", "REJECTED", "SIZE", "FILES", "PATH")
    yield from _table([head, *map(_history_row, every)], right={1, 2, 3, 4})


def _document(found: dict[str, Any]) -> str:
    """JSON; what that does not know is text."""
    return json.dumps(found, default=str, indent=2, ensure_ascii=False)


def _latest_text(found: Described, known: list[Column], rows: pl.DataFrame) -> Iterator[str]:
    parts = (
        f"{found.rows:,} rows",
        f"{len(known)} column{'s' if len(known) != 1 else ''}",
        _size(found.size_bytes),
        _time(found.written),
    )
    yield f"{name_of(found.asset)}   {'   '.join(part for part in parts if part)}"
    yield found.path
    yield ""
    head = ("COLUMN", "TYPE", "NULLS", "DISTINCT", "MIN", "MAX")
    about = found.rows > FEW
    yield from _table([head, *(_column_row(one, about=about) for one in known)], right={2, 3})
    yield ""
    yield from report.frame(rows, rows.height).splitlines()


def _history_row(past: Past) -> tuple[str, ...]:
    counts = (f"{past.rows:,}", f"{past.rejected:,}", _size(past.size_bytes))
    return (_time(past.written), *counts, str(past.files), past.path)


def _column_row(column: Column, *, about: bool) -> tuple[str, ...]:
    estimated = "~" if about and column.type != "Boolean" else ""
    return (
        column.name,
        _short_type(column.type),
        f"{column.nulls:,}",
        "" if column.distinct is None else f"{estimated}{column.distinct:,}",
        _shortened(column.min),
        _shortened(column.max),
    )


def _short_type(kind: str) -> str:
    """A type without the names of its parameters, and without the choices of an Enum."""
    if kind.startswith("Enum("):
        return "Enum"
    return re.sub(r", time_zone=None|\w+=|'", "", kind)


def _table(rows: Iterable[Sequence[str]], right: set[int]) -> Iterator[str]:
    """Cells, aligned in columns."""
    known = [list(row) for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*known, strict=True)]
    for row in known:
        cells = [
            f"{cell:>{width}}" if number in right else f"{cell:<{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _shortened(value: object) -> str:
    """A value as a cell."""
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _time(stamp: str | None) -> str:
    """A moment to the second, in UTC."""
    return "" if stamp is None else f"{stamp[:10]} {stamp[11:19]} UTC"


def _size(number: float) -> str:
    """A number of bytes in units of a thousand, as disks count: 34.1 KB."""
    for unit in UNITS[:-1]:
        if number < 1000:
            return f"{number:.3g} {unit}" if unit != "B" else f"{number:.0f} B"
        number /= 1000
    return f"{number:.3g} {UNITS[-1]}"
