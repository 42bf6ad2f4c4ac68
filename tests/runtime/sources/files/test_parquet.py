"""Parquet files arrive as DuckDB sees them."""

# ruff: noqa: S608 - the paths are those of the test
from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polster_runtime.sources.base import SourceError
from polster_runtime.sources.files.found_files import find_files
from polster_runtime.sources.files.parquet_reader import parquet_frames
from polster_runtime.sources.files.union import exact_supertype


def read(folder: Path, pattern: str = "**/*.parquet", **options: Any) -> pl.DataFrame:
    """Read the files of a folder whole."""
    frames = list(parquet_frames(find_files(pattern, folder), **options))
    assert all(frame.schema == frames[0].schema for frame in frames)
    return pl.concat(frames)


def fails(folder: Path) -> str:
    """Read files that cannot be read; return what is said."""
    with pytest.raises(SourceError) as error:
        read(folder)
    return str(error.value)


def test_d6_columns_of_folders(tmp_path: Path) -> None:
    duckdb.sql(
        "copy (select i as id, 2024 + i % 2 as year, '0' || i % 3 as part, 'a b' as region "
        f"from range(6) t(i)) to '{tmp_path}' (format parquet, partition_by (year, part, region), "
        "overwrite_or_ignore)"
    )
    frame = read(tmp_path).sort("id")
    assert frame.schema == {
        "id": pl.Int64,
        "year": pl.Int64,
        "part": pl.String,
        "region": pl.String,
    }
    assert frame.rows()[1] == (1, 2025, "01", "a b")


SAME: dict[str, Any] = {
    "year=2024": 2024,
    "day=2024-01-31": date(2024, 1, 31),
    "at=2024-01-31 00%3A00%3A00": datetime(2024, 1, 31),  # noqa: DTZ001
    "ok=True": True,
    "x=1.5": 1.5,
    "month=01": 1,
    "town=a b": "a b",
    "part=__HIVE_DEFAULT_PARTITION__": None,
}


@pytest.mark.parametrize("folder", SAME)
def test_d6_a_column_of_the_name_of_a_folder(tmp_path: Path, folder: str) -> None:
    """Which Polars and DuckDB would replace by what the folder says."""
    name, value = folder.partition("=")[0], SAME[folder]
    (tmp_path / folder).mkdir()
    rows = pl.DataFrame({name: [value, value], "v": [1, 2]})
    rows.write_parquet(tmp_path / folder / "a.parquet")
    assert read(tmp_path).equals(rows)
    other = 5 if value is None else None
    pl.DataFrame({name: [value, other]}).write_parquet(tmp_path / folder / "a.parquet")
    assert f"but has a row whose {name} is {other}; move the file" in fails(tmp_path)


def test_d6_a_folder_of_another_year_than_its_rows(tmp_path: Path) -> None:
    (tmp_path / "year=2024").mkdir()
    pl.DataFrame({"year": [2024, 2023]}).write_parquet(tmp_path / "year=2024/a.parquet")
    assert fails(tmp_path) == (
        "year=2024/a.parquet is in the folder year=2024, but has a row whose year is 2023; move "
        "the file, or correct or rename its column"
    )


def test_d6_uuid_and_json_are_text_at_any_depth(tmp_path: Path) -> None:
    key = "'8ea99ede-658f-4dbd-8074-c578435e7b0b'::uuid"
    duckdb.sql(
        f"copy (select {key} as u, '{{\"a\": 1}}'::json as j, {{'u': {key}, 'n': 1}} as s, "
        f"[{key}, null] as l, [{{'j': '[1]'::json}}] as ls, "
        f"map {{'k': {key}}} as m, 'ab'::blob as b) "
        f"to '{tmp_path / 'a.parquet'}' (format parquet)"
    )
    text = "8ea99ede-658f-4dbd-8074-c578435e7b0b"
    assert read(tmp_path).rows(named=True) == [
        {
            "u": text,
            "j": '{"a": 1}',
            "s": {"u": text, "n": 1},
            "l": [text, None],
            "ls": [{"j": "[1]"}],
            "m": {"k": text},
            "b": b"ab",
        }
    ]


def test_d6_a_union_of_columns_in_any_order(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1], "b": ["x"]}, schema_overrides={"a": pl.Int32}).write_parquet(
        tmp_path / "1.parquet"
    )
    pl.DataFrame({"b": ["y"], "c": [True], "a": [2**40]}).write_parquet(tmp_path / "2.parquet")
    assert read(tmp_path, file_column="_file").rows(named=True) == [
        {"a": 1, "b": "x", "c": None, "_file": "1.parquet"},
        {"a": 2**40, "b": "y", "c": True, "_file": "2.parquet"},
    ]


def test_choices_that_differ_are_text(tmp_path: Path) -> None:
    kinds: list[Any] = [pl.Enum(["x"]), pl.Enum(["x", "y"]), pl.Categorical, pl.String]
    for number, kind in enumerate(kinds):
        pl.Series("a", ["x"], dtype=kind).to_frame().write_parquet(tmp_path / f"{number}.parquet")
    assert read(tmp_path)["a"].to_list() == ["x"] * 4


def test_types_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"a": [2**53 + 1]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"a": [0.5]}).write_parquet(tmp_path / "2.parquet")
    assert fails(tmp_path).startswith("a is Int64 in 1.parquet and Float64 in 2.parquet: no type ")
    pl.DataFrame({"b": [0.5]}).write_parquet(tmp_path / "2.parquet")
    assert fails(tmp_path).startswith("2.parquet has none of the columns of the other files: b; ")


def test_what_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"a,b\n1,2\n")
    assert fails(tmp_path) == "a.parquet cannot be read: it is not a Parquet file, or is cut"
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + b"\xff" * 50 + b"\x20\x00\x00\x00PAR1")
    assert fails(tmp_path).startswith("a.parquet cannot be read: ")


def test_a_type_that_polars_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    duckdb.sql(f"copy (select interval 1 day as i) to '{file}' (format parquet)")
    assert fails(tmp_path).startswith("a.parquet cannot be read: could not import from")


KINDS = st.sampled_from(
    [
        *(pl.Int8, pl.Int32, pl.Int64, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64, pl.Boolean),
        *(pl.Date, pl.Datetime("ms"), pl.Datetime("us"), pl.Decimal(10, 2), pl.Decimal(20, 5)),
        *(pl.String, pl.Null, pl.List(pl.Int32)),
        *(pl.Struct({"x": pl.Int8}), pl.Struct({"y": pl.Date})),
    ]
).map(lambda kind: kind() if isinstance(kind, type) else kind)


@settings(max_examples=200, deadline=None)
@given(KINDS, KINDS)
def test_a_common_type_is_the_same_both_ways(one: Any, other: Any) -> None:
    both = exact_supertype(one, other)
    back = exact_supertype(other, one)
    if isinstance(both, pl.Struct):
        assert {(f.name, f.dtype) for f in both.fields} == {(f.name, f.dtype) for f in back.fields}
    else:
        assert both == back


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_random_files_arrive_as_duckdb_reads_them(tmp_path: Path, data: st.DataObject) -> None:
    for file in tmp_path.glob("*.parquet"):
        file.unlink()
    columns = {
        "i": st.integers(-(2**63), 2**63 - 1),
        "f": st.floats(allow_nan=False),
        "t": st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5),
        "b": st.booleans(),
        "d": st.dates(),
    }
    schema = {"i": pl.Int64, "f": pl.Float64, "t": pl.String, "b": pl.Boolean, "d": pl.Date}
    for number in range(data.draw(st.integers(1, 3))):
        names = data.draw(st.permutations(list(columns)))[: data.draw(st.integers(3, 5))]
        rows = data.draw(
            st.lists(st.tuples(*(columns[name] | st.none() for name in names)), max_size=5)
        )
        frame = pl.DataFrame(rows, schema={name: schema[name] for name in names}, orient="row")
        frame.write_parquet(tmp_path / f"{number}.parquet")
    found = read(tmp_path)
    listed = ", ".join(found.columns)
    expected = duckdb.execute(
        f"select {listed} from read_parquet('{tmp_path}/*.parquet', union_by_name = true, "
        "filename = true, file_row_number = true) order by filename, file_row_number"
    ).fetchall()
    assert found.rows() == expected
