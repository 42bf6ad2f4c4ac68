"""A first look at files: their columns, their types, three rows.

CSV and JSON need nothing but the standard library. As a program, which prints JSON:

    python -m polster_runtime.sources.files.look 'data/in/orders-*.csv' '{"separator": ";"}'
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from polster_runtime.errors import SourceError
from polster_runtime.sources.files.csv_dialect import NO_SEPARATOR, CsvOptions, find_dialect
from polster_runtime.sources.files.csv_dialect import open_lines as open_csv
from polster_runtime.sources.files.csv_records import read_records
from polster_runtime.sources.files.found_files import DataFile, find_files
from polster_runtime.sources.files.json_records import read_json_records
from polster_runtime.sources.files.kinds import kind_of
from polster_runtime.sources.files.unpack import unpack_all
from polster_runtime.sources.shapes import Shape, TooDeepError, json_text, parse_float

ROWS = 3
_RECORDS = 1_000
"""Records that are looked at; reading looks at all of them."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the first of some files holds."""

    files: int
    """How many there are."""
    kind: str
    """csv, json, excel or parquet."""
    columns: dict[str, str]
    """Column -> type, as Polars calls it."""
    rows: list[dict[str, str]]
    """The first three rows, as text; a value that is null is missing."""
    notes: dict[str, str] = field(default_factory=dict)
    """How CSV is written: encoding, separator, decimal sign, header row.

    `ragged` is the line of the first row that has more or fewer fields than the header."""


def look(
    pattern: str | Path,
    kind: str = "",
    options: Mapping[str, Any] | None = None,
    *,
    root: Path | None = None,
) -> Found:
    """Look at the first of the files that a pattern names.

    `options` are those of the reader. Raises SourceError for files that cannot be read, and where
    the package is missing that reads them.
    """
    if kind == "parquet" and ((root or Path.cwd()) / pattern).is_dir():
        pattern = f"{pattern}/**/*.parquet"
    files = find_files(pattern, root, skip=("~$",))
    kind = kind or kind_of(files[0])
    with TemporaryDirectory(prefix="polster-look-") as folder:
        first = next(unpack_all(files[:1], Path(folder)), files[0])
        columns, rows, notes = _LOOKS[kind](first, dict(options or {}))
    return Found(files=len(files), kind=kind, columns=columns, rows=rows, notes=notes)


_Seen = tuple[dict[str, str], list[dict[str, str]], dict[str, str]]


def _look_at_csv(file: DataFile, given: dict[str, Any]) -> _Seen:
    given.pop("file_column", None)
    null = given.get("null", ())
    options = CsvOptions(**{**given, "null": (null,) if isinstance(null, str) else tuple(null)})
    dialect = find_dialect(file, options)
    if not dialect.columns:
        raise SourceError(f"{file.shown} is empty: there is no header", final=True)
    lines = islice(open_csv(file.path, dialect, file.shown), dialect.data_line - 1, None)
    records = read_records(
        lines,
        separator=dialect.separator,
        quote=dialect.quote,
        name=file.shown,
        first_line=dialect.data_line,
    )
    seen = list(islice(records, _RECORDS))
    rows = [
        {
            name: text
            for name, text in zip(dialect.columns, record.fields, strict=False)
            if text is not None and text not in options.null
        }
        for record in seen[:ROWS]
    ]
    width = len(dialect.columns)
    ragged = (record for record in seen if len(record.fields) != width)
    notes = {
        **({"ragged": str(first.line)} if (first := next(ragged, None)) else {}),
        "encoding": dialect.encoding,
        "separator": "" if dialect.separator == NO_SEPARATOR else dialect.separator,
        "decimal": dialect.decimal,
        "header_row": str(dialect.header_line),
    }
    return {name: str(options.types.get(name, "String")) for name in dialect.columns}, rows, notes


def _look_at_json(file: DataFile, given: dict[str, Any]) -> _Seen:
    shape, rows = Shape(), []
    records = read_json_records(file, parse_float, records=given.get("records", ""))
    for number, record in islice(records, _RECORDS):
        try:
            shape.see(record)
        except TooDeepError as error:
            raise SourceError(f"{file.shown}, record {number}: {error}", final=True) from None
        if number <= ROWS:
            known = {name: value for name, value in record.items() if value is not None}
            rows.append({name: json_text(value) for name, value in known.items()})
    return {name: one.type_name for name, one in shape.fields.items()}, rows, {}


def _look_at_excel(file: DataFile, given: dict[str, Any]) -> _Seen:
    from polster_runtime.sources.files.excel_reader import excel_frames

    return _first_frames(excel_frames([file], **given))


def _look_at_parquet(file: DataFile, given: dict[str, Any]) -> _Seen:
    from polster_runtime.sources.files.parquet_reader import parquet_frames

    return _first_frames(parquet_frames([file], **given))


def _first_frames(frames: Any) -> _Seen:
    """Return the columns and rows of the first frame, which is empty, and the second."""
    empty = next(frames)
    first = next(frames, empty).head(ROWS)
    frames.close()
    rows = [
        {name: str(value) for name, value in row.items() if value is not None}
        for row in first.iter_rows(named=True)
    ]
    return {name: str(kind) for name, kind in empty.schema.items()}, rows, {}


_LOOKS: dict[str, Callable[[DataFile, dict[str, Any]], _Seen]] = {
    "csv": _look_at_csv,
    "json": _look_at_json,
    "excel": _look_at_excel,
    "parquet": _look_at_parquet,
}


def main() -> int:
    """Print what was found as JSON; exit code 1 with a sentence where nothing can be read."""
    pattern, *more = sys.argv[1:]
    options = json.loads(more[0]) if more else {}
    try:
        found = look(pattern, options.pop("kind", ""), options)
    except SourceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
