"""Workbooks arrive cell by cell as openpyxl sees them."""

# ruff: noqa: DTZ001 - cells have no time zone
from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.chart import LineChart

from polster_runtime.sources.base import SourceError
from polster_runtime.sources.files import excel_reader
from polster_runtime.sources.files.excel_dates import check_dates
from polster_runtime.sources.files.excel_reader import LOCK_FILES, excel_frames
from polster_runtime.sources.files.found_files import DataFile, find_files
from tests.runtime.sources.files.workbooks import Cell, write_xls, write_xlsb

Rows = Sequence[Sequence[Any]]
Write = Callable[..., DataFile]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a workbook: sheets and their rows."""

    def make(name: str = "book.xlsx", **sheets: Rows) -> DataFile:
        write_book(tmp_path / name, sheets)
        return DataFile(tmp_path / name, name)

    return make


def write_book(path: Path, sheets: dict[str, Rows]) -> None:
    """Write a workbook with openpyxl."""
    book = openpyxl.Workbook()
    del book[book.sheetnames[0]]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def read(*files: DataFile, **options: Any) -> pl.DataFrame:
    """Read workbooks whole."""
    frames = list(excel_frames(files, **options))
    assert all(frame.schema == frames[0].schema for frame in frames)
    return pl.concat(frames)


def fails(*files: DataFile, **options: Any) -> str:
    """Read workbooks that cannot be read; return what is said."""
    with pytest.raises(SourceError) as error:
        read(*files, **options)
    return str(error.value)


def column(write: Write, *cells: Any) -> pl.Series:
    """Read a column of some cells, beside another."""
    return read(write(s=[["n", "v"], *([1, cell] for cell in cells)]))["v"]


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ([1, 2], pl.Int64, [1, 2]),
        ([1, 2.5, None], pl.Float64, [1.0, 2.5, None]),
        ([True, False], pl.Boolean, [True, False]),
        (["a", ""], pl.String, ["a", None]),
        ([date(2024, 1, 31)], pl.Date, [date(2024, 1, 31)]),
        (
            [date(2024, 1, 31), datetime(2024, 1, 31, 10, 30)],
            pl.Datetime("ms"),
            [datetime(2024, 1, 31), datetime(2024, 1, 31, 10, 30)],
        ),
        ([time(9, 30), time(0, 0, 1)], pl.Time, [time(9, 30), time(0, 0, 1)]),
        ([*range(1, 1_500), "n/a"], pl.String, [*map(str, range(1, 1_500)), "n/a"]),
        ([1, 2.5, "x"], pl.String, ["1", "2.5", "x"]),
        ([True, 1, "x"], pl.String, ["true", "1", "x"]),
        ([True, 5], pl.String, ["true", "5"]),
        ([date(2024, 1, 31), 5], pl.String, ["2024-01-31", "5"]),
        ([1e19, 0.1], pl.Float64, [1e19, 0.1]),
        ([None, None], pl.Null, [None, None]),
    ],
)
def test_d3_every_cell_as_what_it_is(
    write: Write, cells: list[Any], kind: Any, expected: list[Any]
) -> None:
    found = column(write, *cells)
    assert found.dtype == kind
    assert found.to_list() == expected


def test_d3_dates_and_then_text(write: Write) -> None:
    found = column(write, *[date(2024, 1, 31)] * 100, "n/a")
    assert found.to_list() == [*["2024-01-31"] * 100, "n/a"]


def test_d3_titles_above_the_header(write: Write) -> None:
    rows = [["Report of May"], [], ["id", "name"], [1, "Ann"], [None, None], [2, "Bo"]]
    expected = [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bo"}]
    assert read(write(s=rows)).rows(named=True) == expected
    two = [["Report", "of May"], *rows]
    assert read(write(s=two), header_row=4).rows(named=True) == expected
    assert fails(write(s=two), header_row=40) == "book.xlsx, sheet s has no row 40"


def serials(path: Path, *numbers: float, beside: int | None = 1) -> DataFile:
    """Write numbers in a format of dates, beside others or nothing."""
    frame = pl.DataFrame({"v": list(map(float, numbers)), "n": [beside, *[1] * (len(numbers) - 1)]})
    frame.write_excel(path, column_formats={"v": "yyyy-mm-dd"})
    return DataFile(path, path.name)


def test_d3_numbers_that_are_no_dates(tmp_path: Path) -> None:
    assert read(serials(tmp_path / "a.xlsx", 5, 1e10))["v"].to_list() == [
        "1900-01-05",
        "10000000000",
    ]
    said = fails(serials(tmp_path / "b.xlsx", 5, -1))
    assert said.startswith("b.xlsx, sheet Sheet1: v has a number below zero in a format of dates")


def test_d3_a_number_below_zero_among_dates_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "c.xlsx"
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in (["v", "n"], [datetime(2024, 1, 31), -7], ["soon", 1], [time(), 2]):
        sheet.append(row)
    book.save(path)
    assert read(DataFile(path, path.name))["v"].to_list()[1:] == ["soon", "00:00:00"]
    sheet["A5"] = -3
    sheet["A5"].number_format = "yyyy-mm-dd"
    book.save(path)
    said = fails(DataFile(path, path.name))
    assert said.startswith("c.xlsx, sheet Sheet: row 5 has a number below zero in a format of ")


def test_d3_a_day_that_only_excel_knows(tmp_path: Path) -> None:
    """29 February 1900, which libraries take for the 28th."""
    known = read(serials(tmp_path / "a.xlsx", 59, 59.5, 61))["v"].to_list()
    assert known == [datetime(1900, 2, 28), datetime(1900, 2, 28, 12), datetime(1900, 3, 1)]
    for number, beside in ((60, 1), (60.75, 1), (60, None)):
        assert fails(serials(tmp_path / "b.xlsx", 59, number, beside=beside)) == (
            "b.xlsx, sheet Sheet1: row 3 has 29 February 1900, a day that only Excel knows; "
            "correct the cell, or its format"
        )


def test_d3_a_day_in_a_workbook_that_does_not_tell(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="whether row 2 has 28 February 1900 or the 29th"):
        check_dates([["d"], [date(1900, 2, 28)]], DataFile(tmp_path / "a.xls", "a.xls"), "A")


def test_d3_sheets_of_charts_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "c.xlsx"
    book = openpyxl.Workbook()
    book.worksheets[0].title = "Data"
    for row in (["a", "b"], [1, 2]):
        book.worksheets[0].append(row)
    book.create_chartsheet("Drawn", 0).add_chart(LineChart())
    book.save(path)
    file = DataFile(path, path.name)
    assert read(file).rows() == read(file, sheet="D*").rows() == [(1, 2)]
    said = "c.xlsx, sheet Drawn is a chart, which has no rows; others: Data"
    assert fails(file, sheet="Drawn") == fails(file, sheet=1) == said


def test_d3_formulas_without_a_result_are_refused(write: Write) -> None:
    said = fails(write(s=[["a", "b"], [1, "=A2*2"], [2, "=A3*2"]]))
    assert said.startswith("book.xlsx, sheet s: B2 has a formula, but not its result; ")


def test_an_empty_sheet_has_no_row(write: Write) -> None:
    frame = read(write(e=[], v=[["a", "b"], [1, 2]]), sheet="*", file_column="f")
    assert frame.rows() == [(1, 2, "book.xlsx")]


def test_d3_lock_files_are_skipped(write: Write, tmp_path: Path) -> None:
    write(s=[["a", "b"], [1, 2]])
    (tmp_path / "~$book.xlsx").write_bytes(b"\x05Ann")
    files = find_files("*.xlsx", tmp_path, skip=LOCK_FILES)
    assert [file.name for file in files] == ["book.xlsx"]


def test_d3_an_empty_column_of_one_file(write: Write) -> None:
    one = write("1.xlsx", s=[["a", "b"], [1, 2]])
    two = write("2.xlsx", s=[["a", "b", "c"], [1.5, None, "x"]])
    assert read(one, two, file_column="_file").rows(named=True) == [
        {"a": 1.0, "b": 2, "c": None, "_file": "1.xlsx"},
        {"a": 1.5, "b": None, "c": "x", "_file": "2.xlsx"},
    ]


def test_d3_columns_that_differ_between_files_are_text(write: Write) -> None:
    one = write("1.xlsx", s=[["a", "b"], [1, date(2024, 1, 31)]])
    two = write("2.xlsx", s=[["a", "b"], ["x", 7]])
    assert read(one, two).rows() == [("1", "2024-01-31"), ("x", "7")]


def test_sheets_by_name_number_and_pattern(write: Write) -> None:
    book = write(**{name: [["a", "b"], [name, 1]] for name in ("first", "2024", "2025", "x")})
    assert read(book)["a"].to_list() == ["first"]
    assert read(book, sheet="2024")["a"].to_list() == ["2024"]
    assert read(book, sheet=4)["a"].to_list() == ["x"]
    assert read(book, sheet="20*")["a"].to_list() == ["2024", "2025"]
    said = "book.xlsx has no sheet y*; it has first, 2024, 2025, x"
    assert fails(book, sheet="y*") == said


def test_names_of_columns(write: Write) -> None:
    frame = read(write(s=[["a", None, "a", 2024], [1, 2, 3, 4], [5, None, None, None]]))
    assert frame.columns == ["a", "column_2", "a_1", "2024"]


@pytest.mark.parametrize("header_row", [None, 1])
@pytest.mark.parametrize("before", [0, 12_000])
def test_errors_in_cells_arrive_as_their_text(
    tmp_path: Path, header_row: int | None, before: int
) -> None:
    rows: list[list[Any]] = [["n", "sum", "name"], *([1, 2.5, "x"] for _ in range(before))]
    rows += [[1, "#REF!", "x"], [2, 0.5, "#N/A"], [3, "#DIV/0!", None], ["#NAME?", None, None]]
    book = openpyxl.Workbook()
    book.worksheets[0].title = "a & b"
    for row in rows:
        book.worksheets[0].append(row)
    for cells in book.worksheets[0].iter_rows(min_row=before + 2):
        for cell in cells:
            if str(cell.value).startswith("#"):
                cell.data_type = "e"
    book.create_sheet("other")
    book.save(tmp_path / "e.xlsx")
    found = read(DataFile(tmp_path / "e.xlsx", "e.xlsx"), header_row=header_row)
    assert found.tail(4).rows() == [
        ("1", "#REF!", "x"),
        ("2", "0.5", "#N/A"),
        ("3", "#DIV/0!", None),
        ("#NAME?", None, None),
    ]
    assert found.height == before + 4


WITH_ERRORS: list[tuple[int, int, Cell]] = [
    *((0, number, name) for number, name in enumerate(("id", "x"))),
    *((1, 0, 1.0), (1, 1, 2.5), (2, 0, 2.0), (2, 1, 0x07), (3, 0, 3.0), (3, 1, (0x2A,))),
]


@pytest.mark.parametrize("kind", ["xls", "small.xls", "xlsb"])
@pytest.mark.parametrize("header_row", [None, 1])
def test_d3_errors_in_cells_of_binary_workbooks_arrive_as_their_text(
    tmp_path: Path, kind: str, header_row: int | None
) -> None:
    """Those of cells, and those that formulas end with."""
    path = tmp_path / f"e.{kind}"
    if kind == "xlsb":
        write_xlsb(path, WITH_ERRORS)
    else:
        write_xls(path, WITH_ERRORS, small=kind == "small.xls")
    found = read(DataFile(path, path.name), header_row=header_row)
    assert found.to_dict(as_series=False) == {"id": [1, 2, 3], "x": ["2.5", "#DIV/0!", "#N/A"]}


def test_errors_in_cells_of_ods_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.ods"
    cell = '<table:table-cell office:value-type="{}" {}><text:p>{}</text:p></table:table-cell>'
    texts = [cell.format("string", "", name) for name in ("a", "b")]
    number = cell.format("float", 'office:value="1"', "1")
    error = cell.format("string", 'office:string-value="" calcext:value-type="error"', "#DIV/0!")
    write_ods(path, s=[texts, [number, number]], broken=[texts, [number, error]])
    assert read(DataFile(path, "e.ods")).rows() == [(1, 1)]
    said = fails(DataFile(path, "e.ods"), sheet="broken")
    assert said.startswith("e.ods, sheet broken: a cell holds an error, which cannot be read from")


def write_ods(path: Path, **sheets: Sequence[Sequence[str]]) -> None:
    """Write the cells of sheets, each as XML."""
    names = ("office", "table", "text")
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names
    )
    tables = "".join(
        f'<table:table table:name="{name}">'
        + "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("mimetype", kind)
        book.writestr("META-INF/manifest.xml", "<manifest/>")
        book.writestr(
            "content.xml",
            f'<office:document-content {spaces} xmlns:calcext="urn:org:documentfoundation:names'
            f':experimental:calc:xmlns:calcext:1.0"><office:body><office:spreadsheet>{tables}'
            "</office:spreadsheet></office:body></office:document-content>",
        )


def test_one_column(write: Write) -> None:
    assert read(write(s=[["a"], [1], [2]])).rows(named=True) == [{"a": 1}, {"a": 2}]


def test_what_is_no_workbook(write: Write, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK nonsense")
    said = fails(DataFile(tmp_path / "a.xlsx", "a.xlsx"))
    assert said.startswith("a.xlsx cannot be read: ")
    assert fails(write(s=[])) == "book.xlsx is empty: there is no header"


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(-1e12, 1e12),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=5),
    st.dates(date(1901, 1, 1), date(9999, 12, 31)),
    st.datetimes(datetime(1901, 1, 1), datetime(9999, 12, 31)).map(
        lambda value: value.replace(microsecond=0)
    ),
)
KIND = st.sampled_from([CELLS, st.integers(-9, 9), st.floats(-9, 9), st.dates(date(1901, 1, 1))])


@st.composite
def sheets(draw: st.DrawFn) -> list[list[Any]]:
    """Draw a sheet: columns of one kind, or of many."""
    height = draw(st.integers(1, 6))
    columns = [
        draw(st.lists(draw(KIND), min_size=height, max_size=height))
        for _ in range(draw(st.integers(1, 4)))
    ]
    header = ["row", *(f"c{number}" for number in range(len(columns)))]
    return [header, *([f"r{n}", *row] for n, row in enumerate(zip(*columns, strict=True)))]


def as_openpyxl_sees(path: Path) -> list[list[Any]]:
    """Return the cells of the first sheet, below its header."""
    rows = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    width = len(rows[0])
    return [[None if cell == "" else cell for cell in row[:width]] for row in rows[1:]]


def same(found: Any, cell: Any) -> bool:
    """Whether a value is that of a cell, or its text where it is in a column of text."""
    if isinstance(cell, datetime) and not isinstance(found, datetime):
        day = cell.time() == time()
        cell = cell.date() if day else cell
    if isinstance(found, str) and not isinstance(cell, str) and cell is not None:
        return float(found) == cell if type(cell) in {int, float} else _text(cell) == found
    return bool(found == cell)


def _text(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sheets())
def test_random_sheets_arrive_as_openpyxl_reads_them(tmp_path: Path, rows: list[list[Any]]) -> None:
    path = tmp_path / "random.xlsx"
    write_book(path, {"s": rows})
    file = DataFile(path, path.name)
    expected = as_openpyxl_sees(path)
    found = read(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(excel_reader, "_by_column", lambda *_: None)
        by_cell = read(file)
    assert by_cell.equals(found)
    assert by_cell.schema == found.schema
    kept = [name for name in rows[0] if name in found.columns]
    assert kept == rows[0]
    for row, cells in zip(found.rows(), expected, strict=True):
        assert all(map(same, row, cells)), (row, cells)
