"""Time how files become bronze, beside Polars alone, which looks at less.

    PYTHONPATH=runtime python bench/files.py [--rows 500000] [--cells 400000] [--repeat 5]

Prints for each kind of file the best time of the reader and of Polars, both up to a Parquet file,
and their ratio with its limit; then the same of processor time, which other work of the machine
hardly changes. Polars reads CSV as text, NDJSON with a schema that is given to it, and workbooks as
`pl.read_excel` does, which guesses types from the first thousand rows.

What is above its limit looks at more than Polars does, in ways that have no faster form here:
CSV is read once more, for its encoding and its quotes (1 ns a byte without quotes; 4 to 6 ns with
them, most of it the automaton of a regular expression, where Polars takes 10 ns for everything).
In workbooks with empty cells the XML is unpacked once more, since neither library tells an empty
cell from an error, a text such as n/a, or a formula without its result. Columns of mixed types pass
through Python, cell by cell, since fastexcel gives no cell its own type.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import xlsxwriter
from polars.io.plugins import register_io_source

from polster_runtime.sources.files import read_csv, read_excel, read_json
from polster_runtime.sources.files.batches import Batches

TOWNS = ("Köln", "Berlin Mitte", "it's", "North, West", "plain text", "x" * 20)
LIMITS = {
    "CSV": 1.1,
    "CSV, quoted": 1.1,
    "NDJSON": 1.5,
    "Excel": 1.0,
    "Excel, empty cells": 1.0,
    "Excel, mixed": 1.0,
}
"""Of the time that Polars takes."""


def main() -> None:
    """Write files, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--cells", type=int, default=400_000)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["PROJECT_ROOT"] = name
        print(f"{arguments.rows:,} rows, {arguments.cells:,} cells, {os.cpu_count()} processors")
        print(f"{'':<20}{'reader':>10}{'Polars':>10}{'ratio':>8}{'limit':>8}{'of CPU':>16}")
        for kind, ours, theirs in pairs(folder, arguments.rows, arguments.cells // 8):
            # By turns, so that other work of the machine hits both.
            measured = [(timed(ours), timed(theirs)) for _ in range(arguments.repeat)]
            own, other = (min(one.wall for one in each) for each in zip(*measured, strict=True))
            cpu, others = (min(one.cpu for one in each) for each in zip(*measured, strict=True))
            ratio = own / other
            word = "kept" if ratio <= LIMITS[kind] else "BROKEN"
            print(
                f"{kind:<20}{own:>8.2f} s{other:>8.2f} s{ratio:>8.2f}{LIMITS[kind]:>8g}   {word:<7}"
                f"{cpu / others:>6.2f}"
            )


def pairs(
    folder: Path, rows: int, lines: int
) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Yield what is measured: the kind of file, how it is read here, and by Polars alone."""
    target = folder / "out.parquet"
    for kind, quote in (("CSV", ""), ("CSV, quoted", '"')):
        csv = folder / f"{len(quote)}.csv"
        write_csv(csv, rows, quote)
        yield (
            kind,
            lambda csv=csv: sink(read_csv(csv), target),
            lambda csv=csv: pl.scan_csv(csv, infer_schema=False).sink_parquet(target),
        )
    lines_of_json = folder / "a.ndjson"
    write_ndjson(lines_of_json, rows)
    schema = pl.scan_ndjson(lines_of_json, infer_schema_length=10).collect_schema()
    yield (
        "NDJSON",
        lambda: sink(read_json(lines_of_json), target),
        lambda: pl.scan_ndjson(lines_of_json, schema=schema).sink_parquet(target),
    )
    for kind in ("Excel", "Excel, empty cells", "Excel, mixed"):
        book = folder / f"{kind}.xlsx"
        write_excel(book, lines, empty="empty" in kind, mixed="mixed" in kind)
        yield (
            kind,
            lambda book=book: sink(read_excel(book), target),
            lambda book=book: pl.read_excel(book).write_parquet(target),
        )


def sink(frames: Batches, target: Path) -> None:
    """Write frames as they come, as a run does."""
    first = next(frames)
    register_io_source(lambda *_: frames, schema=first.schema).sink_parquet(target)


class Seconds(NamedTuple):
    """How long a call took."""

    wall: float
    cpu: float
    """Of all threads."""


def timed(call: Callable[[], object]) -> Seconds:
    """Return how many seconds a call takes."""
    start, cpu = time.perf_counter(), time.process_time()
    call()
    return Seconds(time.perf_counter() - start, time.process_time() - cpu)


def records(rows: int) -> Iterator[dict[str, object]]:
    """Yield rows like those of a shop, the same each time."""
    chance = random.Random(1)  # noqa: S311 - no secret
    for number in range(rows):
        yield {
            "id": number,
            "name": chance.choice(TOWNS),
            "town": chance.choice(TOWNS),
            "amount": round(chance.random() * 1_000, 2),
            "at": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T10:11:12Z",
            "paid": number % 3 == 0,
            "note": chance.choice(TOWNS) if number % 3 else None,
        }


def write_csv(path: Path, rows: int, quote: str) -> None:
    """Write CSV, its texts in quotes or without any."""
    with path.open("w", encoding="utf-8") as out:
        out.write("id,name,town,amount,at,paid,note\n")
        for record in records(rows):
            fields = [
                f"{quote}{value if quote else value.replace(',', '')}{quote}"
                if isinstance(value, str)
                else ("" if value is None else str(value))
                for value in record.values()
            ]
            out.write(",".join(fields) + "\n")


def write_ndjson(path: Path, rows: int) -> None:
    """Write an object a line, with an object and a list in each."""
    with path.open("w", encoding="utf-8") as out:
        for record in records(rows):
            out.write(json.dumps({**record, "in": {"x": record["id"]}, "tags": [1, 2]}) + "\n")


def write_excel(path: Path, rows: int, *, empty: bool, mixed: bool) -> None:
    """Write a workbook of eight columns; some cells empty, or texts among numbers."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["id", "name", "amount", "on", "paid", "code", "count", "note"])
        for number, record in enumerate(records(rows), start=1):
            sheet.write_row(number, 0, [number, record["name"], record["amount"]])
            sheet.write_datetime(number, 3, date(2020, 1, 1) + timedelta(number % 1_000), day)
            sheet.write_boolean(number, 4, bool(record["paid"]))
            sheet.write(number, 5, f"x{number}" if mixed and number % 10 == 0 else number)
            sheet.write(number, 6, None if empty and number % 10 == 0 else number % 9)
            sheet.write(number, 7, "n/a" if mixed and number % 100 == 0 else record["amount"])


if __name__ == "__main__":
    main()
