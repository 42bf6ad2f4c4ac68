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
from polster_runtime.sources.files import json_lines, json_reader
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
    assert "has no list at x.items" in fails(write(wrapped), records="x.items")
    two = f'{{"data": {{"n": [1], "items": []}}}} {wrapped}'
    assert read(write(two), records="data.items")["a"].to_list() == [1, 2]


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
        ('{"a": {"\\ud800": 1}}', "1.json: the key '\\ud800' has half of a surrogate pair"),
    ],
)
def test_errors_name_file_and_record(write: Write, text: str, says: str) -> None:
    assert fails(write(text)).startswith(says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"n": 1, "d": [{"a": 1},\n {"a": }]}', "1.json, line 2, record 2: expecting value"),
        ('{"d": [{"a": 1}], "d": []}', "1.json, line 1, record 1: the key d is there twice"),
        ('{"d": [{"a": 1}', "1.json, line 1, record 1: the list is cut"),
        ('{"d": [{"a": 1}] "x": 1}', "1.json, line 1, record 1: there is no comma before it"),
        ('{"d": [{"a": 1}]', "1.json, line 1, record 1: the document is cut"),
        ('{"d" [1]}', "1.json, line 1, record 1: there is no colon after the key d"),
        ('{"d": [1],}', "1.json, line 1, record 1: a key is missing"),
        ('{"d": 1}', "1.json has no list at d; check `records`"),
    ],
)
def test_errors_around_a_list_in_a_document(write: Write, text: str, says: str) -> None:
    assert fails(write(text), records="d").startswith(says)


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
    max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
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
@given(files=st.lists(ALIKE, min_size=1, max_size=2), as_ascii=st.booleans())
def test_both_ways_of_reading_are_the_same(
    tmp_path: Path, *, files: list[list[dict[str, Any]]], as_ascii: bool
) -> None:
    named = []
    for number, records in enumerate(files):
        path = tmp_path / f"{number}.json"
        texts = [json.dumps(record, ensure_ascii=as_ascii) for record in records * 2]
        path.write_text(lines(*texts, '{"a": null, "x": 1}'), encoding="utf-8")
        named.append(DataFile(path, path.name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "_FIRST_LINES", 1)
        patch.setattr(json_lines, "_BLOCK_BYTES", 100)
        by_lines = read(named)
        patch.setattr(json_reader._Part, "_may_be_lines", lambda _: False)
        by_python = read(named)
    assert by_lines.equals(by_python)
    assert by_lines.schema == by_python.schema


GOOD = '{"a": 1, "b": [1.5, 2.5], "c": {"d": "x"}}'


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"a": 1, "b": [1.5, 2.5], "c": {"d": "x"},}', "record 301: "),
        ('{"a": 1 "b": [1.5], "c": {"d": "x"}}', "record 301: "),
        ('{"a": 1, "b": [1.5 2.5]}', "record 301: "),
        ('{"a": 1, "a": 2}', "record 301: the key a is there twice"),
        ('{"a": 01}', "record 301: "),
        ('{"a": 1}{"a": 2}]', "record 303: "),
        ('{"a": 1', "record 301: "),
    ],
)
def test_a_broken_line_after_many_good_ones(write: Write, line: str, says: str) -> None:
    said = fails(write(lines(*[GOOD] * 300, line, GOOD)))
    assert said.startswith(f"1.json, line {302 if line.endswith('1') else 301}, {says}")


@pytest.mark.parametrize(
    ("line", "name", "kind", "expected"),
    [
        ('{"a": 1.5}', "a", pl.Float64, 1.5),
        ('{"a": 9007199254740993}', "a", pl.Int64, 9007199254740993),
        ('{"a": 9007199254740993.5}', "a", pl.String, "9007199254740993.5"),
        ('{"b": [0.8444218515250481]}', "b", pl.List(pl.Float64), [0.8444218515250481]),
        ('{"b": [0.84442185152504812]}', "b", pl.List(pl.String), ["0.84442185152504812"]),
        ('{"b": [1]}', "b", pl.List(pl.Float64), [1.0]),
        ('{"b": "x"}', "b", pl.String, "x"),
        ('{"c": {"e": 1}}', "c", pl.Struct({"d": pl.String, "e": pl.Int64}), {"d": None, "e": 1}),
        ('{"z": true}', "z", pl.Boolean, True),
        ('{"\\u0061": null}', "a", pl.Int64, None),
        ('{"a": NaN}', "a", pl.Float64, pytest.approx(math.nan, nan_ok=True)),
        ('{"c": {"d": "\\ud83d\\ude00"}}', "c", pl.Struct({"d": pl.String}), {"d": "😀"}),
        ('{"c":{"d":"\\u00e9"}  }\r', "c", pl.Struct({"d": pl.String}), {"d": "é"}),
        ('\n{"a": 7}', "a", pl.Int64, 7),
    ],
)
def test_d1_d2_another_kind_after_many_alike(
    write: Write, line: str, name: str, kind: Any, expected: Any
) -> None:
    for before in ("", "\n" * 100):
        found = read(write(before + lines(*[GOOD] * 300, line, *[GOOD] * 300)))
        assert found.height == 601
        assert found.schema[name] == kind
        assert found[name].to_list()[300] == expected


def test_lists_in_lists(write: Write) -> None:
    """What tells that lines are alike does not double with each level."""
    value = f"{'[' * 60}1{']' * 60}"
    frame = read(write(lines(*[f'{{"a": {value}}}'] * 60)))
    assert frame["a"].to_list() == [json.loads(value)] * 60
