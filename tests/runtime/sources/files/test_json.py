"""JSON files arrive as they are: against the json module, over several files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polster_runtime.sources.base import SourceError
from polster_runtime.sources.files import json_reader
from polster_runtime.sources.files.found_files import DataFile
from polster_runtime.sources.files.json_reader import json_frames

Write = Callable[..., list[DataFile]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files of the given texts."""

    def make(*contents: str | bytes) -> list[DataFile]:
        files = []
        for number, content in enumerate(contents, start=1):
            path = tmp_path / f"{number}.json"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            files.append(DataFile(path, path.name))
        return files

    return make


def read(files: Sequence[DataFile], **options: Any) -> pl.DataFrame:
    """Read files whole."""
    frames = list(json_frames(files, **options))
    assert all(frame.schema == frames[0].schema for frame in frames)
    return pl.concat(frames)


def fails(files: Sequence[DataFile], **options: Any) -> str:
    """Read files that cannot be read; return what is said."""
    with pytest.raises(SourceError) as error:
        read(files, **options)
    return str(error.value)


def lines(*records: str) -> str:
    """One record a line."""
    return "".join(f"{record}\n" for record in records)


def values(*values: str) -> list[str]:
    """Return NDJSON and a list of objects with a column v of the given values."""
    records = [f'{{"v": {value}}}' for value in values]
    return [lines(*records), f"[{', '.join(records)}]"]


@pytest.mark.parametrize("form", [0, 1])
def test_d1_integers_and_then_others(write: Write, form: int) -> None:
    text = values(*["1"] * 2_000, "19.90", "-0.99")[form]
    frame = read(write(text))
    assert frame.schema == {"v": pl.Float64}
    assert frame["v"].tail(3).to_list() == [1.0, 19.9, -0.99]


@pytest.mark.parametrize("form", [0, 1])
@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        (["1", "null"], pl.Int64, [1, None]),
        (["9007199254740993"], pl.Int64, [9007199254740993]),
        (["9007199254740993", "0.5"], pl.String, ["9007199254740993", "0.5"]),
        (["18446744073709551616", "1"], pl.String, ["18446744073709551616", "1"]),
        (["12345678901234567.89", "1.10"], pl.String, ["12345678901234567.89", "1.10"]),
        (["0.1", "5e-324", "-0.0"], pl.Float64, [0.1, 5e-324, -0.0]),
        (["1e400", "1E5"], pl.String, ["1e400", "1E5"]),
        (["1e-400"], pl.String, ["1e-400"]),
        (["1", '"x"', "true", "[1.0]"], pl.String, ["1", "x", "true", "[1.0]"]),
        (["true", "false"], pl.Boolean, [True, False]),
        (["true", "1"], pl.String, ["true", "1"]),
        (["[1]", "[2.5, null]", "[]"], pl.List(pl.Float64), [[1.0], [2.5, None], []]),
        (["[1]", '{"a": 1.50}'], pl.String, ["[1]", '{"a": 1.50}']),
        (["{}", "{}"], pl.String, ["{}", "{}"]),
        (["[]"], pl.List(pl.Null), [[]]),
        (["null"], pl.Null, [None]),
        (['"\\u0000\\ud83d\\ude00"'], pl.String, ["\x00😀"]),
    ],
)
def test_d1_d2_each_value_as_it_is(
    write: Write, form: int, given: list[str], kind: Any, expected: list[Any]
) -> None:
    frame = read(write(values(*given)[form]))
    assert frame.schema == {"v": kind}
    assert frame["v"].to_list() == expected


def test_d25_nan_and_infinity(write: Write) -> None:
    for text in values("NaN", "1", "-Infinity"):
        found = read(write(text))["v"].to_list()
        assert math.isnan(found[0])
        assert found[1:] == [1.0, -math.inf]


def test_d2_a_key_more_in_a_later_file(write: Write) -> None:
    files = write(
        lines('{"a": 1, "s": {"x": 1}}'), lines('{"a": 2.5, "s": {"x": null, "y": "z"}, "b": [1]}')
    )
    frame = read(files, file_column="_file")
    assert frame.rows(named=True) == [
        {"a": 1.0, "s": {"x": 1, "y": None}, "b": None, "_file": "1.json"},
        {"a": 2.5, "s": {"x": None, "y": "z"}, "b": [1], "_file": "2.json"},
    ]


def test_forms_of_files(write: Write) -> None:
    files = write(
        '[{"a": 1}]',
        '{"a": 2}\n\n{"a": 3}',
        '{\n "a": 4\n}\n{"a": 5}{"a": 6}',
        "\ufeff" + '{"a": 7}',
        '[{"a": 8}]'.encode("utf-16"),
        "",
        "[]",
    )
    assert read(files)["a"].to_list() == list(range(1, 9))
    assert read(write("[1, 2]")).rows(named=True) == [{"value": 1}, {"value": 2}]
    wrapped = '{"data": {"items": [{"a": 1}, {"a": 2}]}, "total": 2}'
    assert read(write(wrapped), records="data.items")["a"].to_list() == [1, 2]
    assert read(write(wrapped))["total"].to_list() == [2]
    assert "has no list at data; check `records`" in fails(write(wrapped), records="data")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1}\n{"a": }\n', "1.json, line 2, record 2: expecting value"),
        ('{"a": 1}\n{"a": "x\n', "1.json, line 2, record 2: invalid control character"),
        ('[{"a": 1},\n {"a": 2}', "1.json, line 2, record 2: the list is cut"),
        ('[{"a": 1}\n {"a": 2}]', "1.json, line 2, record 1: there is no comma before it"),
        ('[{"a": 1}] x', "1.json, line 1, record 1: there is text after the end"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "1.json, line 1, record 1: the key c is there twice"),
        ('{"a": ' + "[" * 5_000 + "]" * 5_000 + "}", "1.json, line 1, record 1: its lists or"),
        ('{"a": ' + "[" * 70 + "]" * 70 + "}", "1.json, record 1: nested deeper than 64 levels"),
        ('{"a": ' + "1" * 5_000 + "}", "1.json, line 1, record 1: a number has more than 4,300"),
        ('{"a": 1}\n{"a": "\\ud800"}', "1.json, record 2: a has half of a surrogate pair"),
    ],
)
def test_errors_name_file_and_record(write: Write, text: str, says: str) -> None:
    assert fails(write(text)).startswith(says)


@pytest.mark.parametrize("text", ["[]", "{}\n{}", ""])
def test_without_records_there_is_no_frame(write: Write, text: str) -> None:
    assert list(json_frames(write(text))) == []


def test_a_file_larger_than_a_block(write: Write) -> None:
    records = [{"number": number, "text": "ö" * (number % 90)} for number in range(60_000)]
    for text in (json.dumps(records, indent=1), lines(*map(json.dumps, records))):
        assert read(write(text)).to_dicts() == records


KEYS = st.sampled_from(["a", "b", "ключ", 'q"', ""])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-100, 100),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
ALIKE = st.sampled_from(
    [st.integers(-5, 5), st.floats(-1e6, 1e6), st.text(max_size=3), st.booleans(), VALUES]
).flatmap(lambda kind: st.lists(st.dictionaries(KEYS, kind | st.none(), max_size=4), max_size=4))


def same(found: Any, expected: Any) -> bool:
    """Whether a value of a frame is the one of a record; a key that is missing is null."""
    if isinstance(expected, dict) and isinstance(found, dict):
        names = found.keys() | expected.keys()
        return all(same(found.get(name), expected.get(name)) for name in names)
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, str) and not isinstance(expected, str) and expected is not None:
        return bool(json.loads(found) == expected)
    return bool(found == expected)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ALIKE, min_size=1, max_size=3), st.tuples(st.booleans(), st.booleans()))
def test_random_records_arrive_as_the_json_module_reads_them(
    tmp_path: Path, files: list[list[dict[str, Any]]], forms: tuple[bool, bool]
) -> None:
    (as_lines, as_ascii), named = forms, []
    for number, records in enumerate(files):
        path = tmp_path / f"{number}.json"
        texts = [json.dumps(record, ensure_ascii=as_ascii) for record in records]
        path.write_text(lines(*texts) if as_lines else f"[{','.join(texts)}]", encoding="utf-8")
        named.append(DataFile(path, path.name))
    expected = [record for records in files for record in records]
    if not any(expected):
        assert list(json_frames(named)) == []
        return
    found = read(named).to_dicts()
    assert len(found) == len(expected)
    assert all(map(same, found, expected))


@settings(
    max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ALIKE)
def test_both_ways_of_reading_are_the_same(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    path = tmp_path / "records.json"
    path.write_text(lines(*map(json.dumps, records), '{"a": null, "x": 1}'), encoding="utf-8")
    files = [DataFile(path, path.name)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reader._Part, "is_plain", lambda _: False)
        by_python = read(files)
    assert read(files).equals(by_python)
