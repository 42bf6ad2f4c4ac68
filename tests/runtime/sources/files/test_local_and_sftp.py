"""Random tables in files of every kind: what other readers see is what arrives, from anywhere."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polster_runtime.errors import SourceError
from polster_runtime.sources.files import read_csv, read_excel, read_json, read_parquet
from polster_runtime.sources.files.found_files import DataFile
from polster_runtime.sources.sftp.files import SftpFile, SftpFormat, load_sftp_data
from polster_runtime.sources.sftp.types import exactly_cast

Rows = Sequence[tuple[Any, ...]]
NAMES = ("number", "share", "text", "flag")
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=6)
ROW = st.tuples(
    st.integers(-(10**12), 10**12) | st.none(),
    st.floats(-1e9, 1e9) | st.none(),
    TEXTS.map(lambda text: text.strip() or None),
    st.booleans() | st.none(),
)
TABLES = st.lists(st.lists(ROW, min_size=1, max_size=5), min_size=1, max_size=3)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    }
)


def check(files: Sequence[Path], read: Callable[..., Any], expected: Rows, **options: Any) -> None:
    """Read files as those of this machine, and as those of a server that were downloaded."""
    named = [DataFile(path, path.name) for path in files]
    local = pl.concat(list(read(named, **options)))
    assert len(local.rows()) == len(expected)
    for found, row in zip(local.select(NAMES).rows(), expected, strict=True):
        assert all(map(same, found, row)), (found, row)
    downloaded = [SftpFile(path.name, path.stat().st_size, 0, path) for path in files]
    over_sftp = pl.concat(list(load_sftp_data(downloaded, SftpFormat(options=options))))
    assert over_sftp.equals(local)
    assert over_sftp.schema == local.schema


def same(found: Any, expected: Any) -> bool:
    """Whether a value is the one that was written, or its text."""
    if isinstance(found, str) and not isinstance(expected, str) and expected is not None:
        return found in {str(expected), str(expected).lower(), str(expected).removesuffix(".0")}
    return bool(found == expected)


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
RANDOM = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@RANDOM
@given(tables=TABLES, dialect=DIALECTS)
def test_csv(tmp_path: Path, tables: list[Rows], dialect: dict[str, Any]) -> None:
    files, expected = [], list[tuple[Any, ...]]()
    for number, rows in enumerate(tables):
        path = tmp_path / f"{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, **dialect).writerows([NAMES, *rows])
        with path.open(encoding="utf-8", newline="") as text:
            seen = list(csv.reader(text, delimiter=dialect["delimiter"]))[1:]
        empty = "" if dialect["quoting"] == csv.QUOTE_ALL else None
        expected += [tuple(field or empty for field in row) for row in seen]
        files.append(path)
    check(files, read_csv, expected, separator=dialect["delimiter"])


@RANDOM
@given(tables=TABLES, as_lines=st.booleans())
def test_json(tmp_path: Path, *, tables: list[Rows], as_lines: bool) -> None:
    files, expected = [], list[tuple[Any, ...]]()
    for number, rows in enumerate(tables):
        path = tmp_path / f"{number}.{'ndjson' if as_lines else 'json'}"
        records = [dict(zip(NAMES, row, strict=True)) for row in rows]
        lines = "".join(json.dumps(record) + "\n" for record in records)
        path.write_text(lines if as_lines else json.dumps(records), encoding="utf-8")
        texts = lines.splitlines() if as_lines else [path.read_text("utf-8")]
        seen = [json.loads(text) for text in texts]
        expected += [tuple(one.values()) for one in (seen if as_lines else seen[0])]
        files.append(path)
    check(files, read_json, expected)


@RANDOM
@given(tables=TABLES)
def test_workbooks(tmp_path: Path, tables: list[Rows]) -> None:
    files, expected = [], list[tuple[Any, ...]]()
    for number, rows in enumerate(tables):
        book = openpyxl.Workbook()
        for row in [NAMES, *rows]:
            book.worksheets[0].append(row)
        for cells in book.worksheets[0].iter_rows():
            for cell in cells:
                if cell.data_type in {"f", "e"}:
                    cell.data_type = "s"
        path = tmp_path / f"{number}.xlsx"
        book.save(path)
        seen = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))[1:]
        expected += [row for row in seen if any(cell is not None for cell in row)]
        files.append(path)
    if expected:
        check(files, read_excel, expected, header_row=1)


@RANDOM
@given(tables=TABLES)
def test_parquet(tmp_path: Path, tables: list[Rows]) -> None:
    files, expected = [], list[tuple[Any, ...]]()
    with duckdb.connect() as database:
        for number, rows in enumerate(tables):
            path = tmp_path / f"{number}.parquet"
            database.execute(
                "create or replace table t (number bigint, share double, text varchar, flag bool)"
            )
            database.executemany("insert into t values (?, ?, ?, ?)", rows)
            database.table("t").write_parquet(str(path))
            expected += database.read_parquet(str(path)).fetchall()
            files.append(path)
    check(files, read_parquet, expected)


@pytest.mark.parametrize(
    ("texts", "kind", "expected"),
    [
        (["7", None], pl.Int16, [7, None]),
        (["007"], pl.Int64, None),
        (["70000"], pl.Int16, None),
        (["1.50", "1e5"], pl.Float64, [1.5, 100_000.0]),
        (["12345678901234567.89"], pl.Float64, None),
        (["12.340"], pl.Decimal(10, 2), [Decimal("12.34")]),
        (["12.349"], pl.Decimal(10, 2), None),
        ([1.5], pl.Int64, None),
        ([2], pl.Boolean, None),
        (["2026-02-28"], pl.Date, [date(2026, 2, 28)]),
        (["31.02.2026"], pl.Date, None),
        ([1, 2], pl.String, ["1", "2"]),
    ],
)
def test_a_schema_of_sftp_changes_no_value(
    texts: list[Any], kind: Any, expected: list[Any] | None
) -> None:
    frame = pl.DataFrame({"x": texts})
    if expected is None:
        with pytest.raises(SourceError, match=r"x is .*, which is no .*, or not exactly"):
            exactly_cast(frame, {"x": kind})
    else:
        found = exactly_cast(frame, {"x": kind})
        assert found.schema == {"x": kind}
        assert found["x"].to_list() == expected
