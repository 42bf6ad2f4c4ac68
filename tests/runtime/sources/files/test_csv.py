"""CSV files arrive as they are: against the csv module, and in every dialect."""

# ruff: noqa: DTZ001 - CSV has no time zones
from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polster_runtime.sources.base import SourceError, doubts
from polster_runtime.sources.files import csv_part
from polster_runtime.sources.files.csv_check import CsvCheck
from polster_runtime.sources.files.csv_dialect import CsvOptions, find_dialect
from polster_runtime.sources.files.csv_reader import csv_frames
from polster_runtime.sources.files.found_files import DataFile

Write = Callable[..., list[DataFile]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files of the given bytes or texts."""

    def make(*contents: bytes | str) -> list[DataFile]:
        files = []
        for number, content in enumerate(contents, start=1):
            path = tmp_path / f"{number}.csv"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            files.append(DataFile(path, path.name))
        return files

    return make


def read(files: Sequence[DataFile], **options: Any) -> pl.DataFrame:
    """Read files whole."""
    file_column = options.pop("file_column", "")
    frames = list(csv_frames(files, CsvOptions(**options), file_column=file_column))
    assert all(frame.schema == frames[0].schema for frame in frames)
    assert not frames[0].height
    return pl.concat(frames)


def fails(files: Sequence[DataFile], **options: Any) -> str:
    """Read files that cannot be read; return what is said."""
    with pytest.raises(SourceError) as error:
        read(files, **options)
    return str(error.value)


def test_d4_every_column_is_text_byte_for_byte(write: Write) -> None:
    rows = [("01234", "12E3", "12345678901234567.89"), (" 007", "TRUE", "1,5"), ("+1", "-0", "1.0")]
    text = "zip,amount,long\n" + "".join(f'{a},"{b}","{c}"\n' for a, b, c in rows)
    frame = read(write(text))
    assert frame.schema == dict.fromkeys(("zip", "amount", "long"), pl.String)
    assert frame.rows() == rows


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_d5_dialects_are_found_out(write: Write, separator: str, encoding: str, end: str) -> None:
    rows = [["name", "town"], ["Zoë", "Köln"], ["Ann", "Århus"], ["Bo B", "Rome"]]
    text = end.join(separator.join(row) for row in rows) + end
    frame = read(write(text.encode(encoding)))
    assert frame.columns == rows[0]
    assert frame.rows() == [tuple(row) for row in rows[1:]]


def test_d5_carriage_returns_alone_with_quotes(write: Write) -> None:
    frame = read(write('a,b\r"1\r2",x\r3,"y ""z"""\r'))
    assert frame.rows() == [("1\r2", "x"), ("3", 'y "z"')]


def test_a_carriage_return_in_a_field_is_part_of_it(write: Write) -> None:
    text = "a,b\n1\r2,x\n3,\ry\n"
    assert read(write(text)).rows() == [("1\r2", "x"), ("3", "\ry")]
    assert read(write(text + "\n4,5\n")).rows() == [("1\r2", "x"), ("3", "\ry"), ("4", "5")]


def test_d5_blank_lines_are_no_rows(write: Write) -> None:
    text = "\n\na,b\n\n1,2\n\n\n,\n3,4\n\n"
    expected = [("1", "2"), (None, None), ("3", "4")]
    assert read(write(text)).rows() == expected
    assert read(write(text.replace("\n", "\r\n"))).rows() == expected
    assert read(write("a\n1\n\n2\n\n")).rows() == [("1",), ("2",)]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "sep=;\r"])
def test_d5_a_first_line_for_excel_names_the_separator(write: Write, first: str) -> None:
    frame = read(write(f"{first}\na;b,c\n1;2,3\n"))
    assert (frame.columns, frame.rows()) == (["a", "b,c"], [("1", "2,3")])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_d5_a_blank_line_behind_many_rows_or_in_a_second_file(write: Write, end: str) -> None:
    """What Polars has read before it stays; each row comes once."""
    long = end.join(["a,b", *(f"{number},{'x' * 60}" for number in range(60_000)), "", "y,z"])
    files = write(long, end.join(["a,b", "", "1,2", ",", "", "3,4"]))
    found = read(files, file_column="from")
    assert found.height == 60_000 + 4
    assert found["a"].to_list()[:60_000] == [str(number) for number in range(60_000)]
    assert found.rows()[60_000:] == [
        ("y", "z", "1.csv"),
        ("1", "2", "2.csv"),
        (None, None, "2.csv"),
        ("3", "4", "2.csv"),
    ]


def test_d5_quotes_inside_fields(write: Write) -> None:
    text = 'size,what\n5" pipe,x\n6",y\n"a ""b"" c",z\n'
    assert read(write(text)).rows() == [('5" pipe', "x"), ('6"', "y"), ('a "b" c', "z")]


def test_text_after_a_closing_quote_is_refused(write: Write) -> None:
    said = fails(write('a,b\n1,2\n"x "q" y",z\n'))
    assert said.startswith('1.csv, line 3: there is text after a closing quote: \'q" y",z')
    assert read(write('a,b\n1,2\n"x "q" y",z\n'), quote="").rows() == [
        ("1", "2"),
        ('"x "q" y"', "z"),
    ]


def test_a_quote_that_is_never_closed_names_its_line(write: Write) -> None:
    said = fails(write('a,b\n1,2\n"x,y\n3,4\n'))
    assert said.startswith("1.csv, line 3: a quote is opened here and never closed")


@pytest.mark.parametrize("row", ["5", "5,6,7", "5,"])
def test_d5_ragged_rows_name_file_and_line(write: Write, row: str) -> None:
    good = "a,b,c,d\n1,2,3,4\n"
    said = fails(write(good, f"{good}\n{row}\n1,2,3,4\n"))
    count = row.count(",") + 1
    field = "field" if count == 1 else "fields"
    assert said.startswith(f"2.csv, line 4: {count} {field}, but the header has 4; ")


def test_d5_long_rows_name_file_and_line(write: Write) -> None:
    assert fails(write("a,b\n1,2\n1,2,3\n1\n")).startswith("1.csv, line 3: 3 fields, ")


def test_ragged_rows_are_kept_if_that_is_wanted(write: Write) -> None:
    frame = read(write("a,b\n1,2,3,,4\n5\n6,7\n"), ragged="keep")
    assert frame.schema == {"a": pl.String, "b": pl.String, "_extra": pl.List(pl.String)}
    assert frame.rows() == [("1", "2", ["3", "", "4"]), ("5", None, None), ("6", "7", None)]


def test_an_empty_field_is_null_and_an_empty_text_is_not(write: Write) -> None:
    expected = [(None, ""), ("", None), ("x", "y")]
    assert read(write('a,b\n,""\n"",\nx,y\n')).rows() == expected
    assert read(write('a,b\n,""\n"",\n\nx,y\n')).rows() == expected, "read record by record"


def test_null_is_named(write: Write) -> None:
    for text in ('a,b\nNA,1\n"NA",-\n', 'a,b\nNA,1\n\n"NA",-\n'):
        assert read(write(text), null=("NA", "-")).rows() == [(None, "1"), (None, None)]


def test_d5_a_union_of_columns_over_files(write: Write) -> None:
    files = write("a,b\n1,2\n", "b;c\n3;4\n", "", "a,b\n5,6\n")
    frame = read(files, file_column="_file")
    assert frame.rows(named=True) == [
        {"a": "1", "b": "2", "c": None, "_file": "1.csv"},
        {"a": None, "b": "3", "c": "4", "_file": "2.csv"},
        {"a": "5", "b": "6", "c": None, "_file": "4.csv"},
    ]


def test_a_file_with_other_columns_altogether_is_refused(write: Write) -> None:
    said = fails(write("a,b\n1,2\n", "x,y\n1,2\n"))
    assert said.startswith("2.csv has none of the columns of the other files: x, y; they have a, b")


def test_a_column_of_file_names_that_is_there(write: Write) -> None:
    assert "have a column a themselves" in fails(write("a,b\n1,2\n"), file_column="a")


def test_empty_files(write: Write) -> None:
    assert fails(write("")) == "1.csv is empty: there is no header"
    assert fails(write("", "\n")).startswith("all 2 files, such as 1.csv, are empty")
    assert read(write("a,b")).schema == {"a": pl.String, "b": pl.String}


def test_names_of_columns(write: Write) -> None:
    assert read(write('"",a,a,column_1\n1,2,3,4\n')).columns == [
        "column_1_2",
        "a",
        "a_2",
        "column_1",
    ]


def test_header_row(write: Write) -> None:
    text = "Report of May\n\nid;name\n1;Ann\n"
    assert "the header has 1" in fails(write(text))
    assert read(write(text), header_row=3).rows(named=True) == [{"id": "1", "name": "Ann"}]
    assert read(write("1;2\n3;4\n"), header_row=0).rows(named=True) == [
        {"column_1": "1", "column_2": "2"},
        {"column_1": "3", "column_2": "4"},
    ]
    assert read(write(b"\xef\xbb\xbf1;2\n"), header_row=0).rows() == [("1", "2")]


def test_one_column_is_one_column(write: Write) -> None:
    assert read(write("name\nAnn\nBo; Bo\n")).rows() == [("Ann",), ("Bo; Bo",)]


def test_the_encoding_may_change_after_the_sample(write: Write) -> None:
    rows = [f"{number},town" for number in range(200_000)]
    text = "\n".join(["id,town", *rows, "x,Köln", "y,Zürich"]) + "\n"
    frame = read(write(text.encode("latin-1")))
    assert frame.tail(2).rows() == [("x", "Köln"), ("y", "Zürich")]
    said = fails(write(text.encode("latin-1")), encoding="utf-8")
    assert "not UTF-8; say which encoding it has: encoding=" in said


def test_an_encoding_that_is_guessed_is_told_once(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    files = write("id,town\n1,Köln\n", *["id,town\n1,Köln\n".encode("latin-1")] * 4)
    with doubts() as found:
        read(files)
        assert found == [record.getMessage() for record in caplog.records]
        assert found[0].startswith("4 files, such as 2.csv, read as cp1252, being no UTF-8: name")
        read(files[1:], encoding="cp1252")
    assert len(found) == len(caplog.records) == 1


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "cp1250"])
def test_an_encoding_that_is_not_certain_is_asked_for(write: Write, encoding: str) -> None:
    words = {"cp1251": "Привет, мир", "shift_jis": "こんにちは世界", "cp1250": "Michał Łąka"}
    text = f"id;name\n1;{words[encoding]}\n"
    assert "say which encoding it has" in fails(write(text.encode(encoding)))
    assert read(write(text.encode(encoding)), encoding=encoding).row(0) == ("1", words[encoding])


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("mac_roman", "Müller;Jäger;café;École;Straße;Málaga;élève;São;très;château"),
        ("cp850", "Köln;español;García;Österreich;naïve;Größe;caféiné"),
    ],
)
def test_text_of_old_machines_is_told_from_cp1252(write: Write, encoding: str, words: str) -> None:
    for word in words.split(";"):
        said = fails(write(f"id,x\n1,{word}\n".encode(encoding)))
        assert "not UTF-8; say which encoding it has" in said, word
    assert fails(write(f"id,x\n1,{words}\n".encode(encoding))).endswith(f"{encoding}'")


def test_signs_of_cp1252_are_not_taken_for_letters(write: Write) -> None:
    text = "“It” 5 € …and “so”—¿Qué? ¡Olé! §5 Brand™ „Haus“ Škoda ƒ 20‰ • Ÿ L'HAŸ"
    assert read(write(f"id;x\n1;{text}\n".encode("cp1252"))).row(0) == ("1", text)


def test_an_encoding_that_there_is_not(write: Write) -> None:
    for name in ("klingon", "base64"):
        assert fails(write("a\n"), encoding=name).startswith("there is no text encoding")


def test_what_was_found_can_be_asked_for(write: Write) -> None:
    (file,) = write("id;preis\r\n1;1.234,50\r\n2;3\r\n".encode("utf-16"))
    found = find_dialect(file, CsvOptions())
    assert (found.encoding, found.separator, found.decimal) == ("utf-16", ";", ",")
    assert (found.header_line, found.data_line, found.columns) == (1, 2, ("id", "preis"))


def test_options_that_cannot_be(write: Write) -> None:
    for wrong in ({"separator": ";;"}, {"quote": "\n"}, {"quote": ",", "separator": ","}):
        assert fails(write("a\n"), **wrong)


def test_a_file_that_changes_while_it_is_read(write: Write) -> None:
    files = write("a,b\n" + "1,2\n" * 10)
    frames = csv_frames(files)
    next(frames)
    files[0].path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"1\.csv changed while it was read; run again"):
        list(frames)


def test_many_files_come_in_few_frames(write: Write) -> None:
    files = write(*(f"id,x\n{number},\n" for number in range(500)))
    frames = list(csv_frames(files))
    assert len(frames) == 2
    assert frames[1]["id"].to_list() == [str(number) for number in range(500)]


TYPED = """id;price;count;on;at;paid;total
01;1.234,50;7;2026-01-31;2026-01-31 10:00;true;12,3
02;;;;;;
03;-0,5;-1;"";2026-01-31T10:00:00.123;False;"-1.000,25"
"""


def test_types_that_are_named(write: Write) -> None:
    types = {
        "price": "Float64",
        "count": "Int64",
        "on": "Date",
        "at": "Datetime",
        "paid": "Boolean",
        "total": "Decimal(10, 2)",
    }
    frame = read(write(TYPED), types=types, decimal=",")
    assert frame.rows() == [
        ("01", 1234.5, 7, date(2026, 1, 31), datetime(2026, 1, 31, 10), True, Decimal("12.30")),
        ("02", *[None] * 6),
        (
            "03",
            -0.5,
            -1,
            None,
            datetime(2026, 1, 31, 10, 0, 0, 123_000),
            False,
            Decimal("-1000.25"),
        ),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "decimal"),
    [
        ("007", "Int64", ""),
        ("007", "Float64", ""),
        ("+1", "Int64", ""),
        (" 1", "Int64", ""),
        ("1.7", "Int64", ""),
        ("9223372036854775808", "Int64", ""),
        ("1e400", "Float64", ""),
        ("0.12345678901234567890", "Float64", ""),
        ("9007199254740993", "Float64", ""),
        ("1.5", "Float64", ","),
        ("1,5", "Float64", "."),
        ("1,5", "Float64", ""),
        ("1,234", "Float64", ""),
        ("12.34,5", "Float64", ","),
        ("1.005", "Decimal(10, 2)", ""),
        ("123456789.00", "Decimal(10, 2)", ""),
        ("31.01.2026", "Date", ""),
        ("2026-01-31 10:00", "Date", ""),
        ("yes", "Boolean", ""),
        ("1", "Boolean", ""),
    ],
)
def test_what_is_not_exactly_of_its_type_names_file_and_line(
    write: Write, text: str, kind: str, decimal: str
) -> None:
    files = write("v;x\n;1\n", f'x;v\n1;\n2;"{text}"\n3;"{text}"\n')
    said = fails(files, types={"v": kind}, decimal=decimal)
    assert said.startswith(f"2.csv, line 3: v is {text!r}, which is no ")


@pytest.mark.parametrize("quote", ["", '"', "»"])
def test_a_separator_beyond_ascii(write: Write, quote: str) -> None:
    files = write(f"a§b\n{quote}1{quote}§2\n")
    assert read(files, separator="§", quote=quote).rows() == [("1", "2")]


def test_ragged_rows_are_kept_in_a_column_of_their_own(write: Write) -> None:
    said = fails(write("a,_extra\n1,2,3\n"), ragged="keep")
    assert said.startswith("the files have a column _extra themselves, which")


def test_types_that_cannot_be(write: Write) -> None:
    files = write("a,b\n1,2\n")
    assert fails(files, types={"c": "Int64"}).startswith("types names c, but the files have")
    for kind in ("Money", "Decimal", "Int64(3)", "pl.Int64"):
        assert fails(files, types={"a": kind}).startswith(f"a cannot have the type {kind}; there")
    assert fails(files, decimal=";") == "decimal must be . or a comma, not ';'"


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text("0123456789.,-+eE ", max_size=7), min_size=1, max_size=5))
def test_a_typed_number_is_the_one_that_is_written(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "typed.csv"
    path.write_text("v;x\n" + "".join(f"{text};1\n" for text in texts), encoding="utf-8")
    for kind in ("Int64", "Float64", "Decimal(12, 3)"):
        try:
            found = read([DataFile(path, "typed.csv")], separator=";", types={"v": kind})
        except SourceError as error:
            assert re.match(r"typed.csv, line \d+: v is ", str(error))  # noqa: PT017
            continue
        expected = [Decimal(text) if text else None for text in texts]
        values = [None if value is None else Decimal(str(value)) for value in found["v"]]
        assert values == expected


LETTERS = st.text(
    st.one_of(
        st.sampled_from(list(" ,;\t|\"'\n\r.-x0é€\u2028")),
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00\x1f\x85\ufeff"),
    ),
    max_size=8,
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], dict[str, Any], str]:
    """Draw a table, a way to write it, and an encoding."""
    width = draw(st.integers(2, 4))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    # Python's writer does not quote a carriage return, and its reader takes it for an end of line.
    texts = (
        LETTERS if quoting == csv.QUOTE_ALL else LETTERS.map(lambda text: text.replace("\r", ""))
    )
    row = st.lists(texts, min_size=width, max_size=width)
    header = [f"column {number}" for number in range(width)]
    rows = draw(st.lists(row, max_size=6))
    dialect = {
        "delimiter": draw(st.sampled_from([",", ";", "\t", "|"])),
        "lineterminator": draw(st.sampled_from(["\n", "\r\n"])),
        "quoting": quoting,
    }
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
    return [header, *rows], dialect, encoding


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables())
def test_random_tables_arrive_as_the_csv_module_reads_them(
    tmp_path: Path, table: tuple[list[list[str]], dict[str, Any], str]
) -> None:
    rows, dialect, encoding = table
    text = io.StringIO()
    csv.writer(text, **dialect).writerows(rows)
    path = tmp_path / "table.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    frame = read([DataFile(path, "table.csv")], separator=dialect["delimiter"])
    with path.open(encoding=encoding, newline="") as source:
        expected = list(csv.reader(source, delimiter=dialect["delimiter"]))
    assert frame.columns == expected[0]
    assert [[field or "" for field in row] for row in frame.rows()] == expected[1:]


@pytest.mark.parametrize("seed", range(3))
def test_both_ways_of_reading_are_the_same(
    write: Write, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    fields = ["", '""', "x", '"a,b"', '"a\nb"', '"""q"""', "é", "1.50", '" "', "'"]
    rows = [",".join(chance.choices(fields, k=5)) for _ in range(20_000)]
    files = write("a,b,c,d,e\n" + "\n".join(rows) + "\n")
    ordinary = read(files)
    monkeypatch.setattr(csv_part, "check_csv", lambda *_: CsvCheck(is_utf8=True))
    assert read(files).equals(ordinary)
    assert ordinary.height == len(rows)
