"""`fetch_api_data` in assets that are written by hand: what becomes of every shape of JSON."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.conftest import Shop, maker
from tests.connectors.http_server import Answer, Api, Asked, Route, Row, lines, serving, zipped
from tests.connectors.programs import program
from tests.generated.projects import told
from tests.machine import no_file_longer_than
from tests.quality.test_guides import with_environment


@dataclass(frozen=True)
class Case:
    """Pages as they are sent, and what they become."""

    pages: list[Any]
    types: dict[str, str]
    rows: list[Row]
    options: dict[str, Any] = field(default_factory=dict)


BIG = 2**63
CASES = {
    "widening": Case(
        [[{"a": 1}], [{"a": 2.5}], [{"a": None}], [{}]],
        {"a": "Float64"},
        [{"a": 1.0}, {"a": 2.5}, {"a": None}, {"a": None}],
    ),
    "to-text": Case(
        [[{"a": 1}], [{"a": "x"}], [{"a": True}], [{"a": {"b": 1}}], [{"a": [1, None]}]],
        {"a": "String"},
        [{"a": "1"}, {"a": "x"}, {"a": "true"}, {"a": '{"b": 1}'}, {"a": "[1, null]"}],
    ),
    "truth-and-numbers": Case(
        [[{"a": True, "b": False}], [{"a": 1, "b": None}]],
        {"a": "String", "b": "Boolean"},
        [{"a": "true", "b": False}, {"a": "1", "b": None}],
    ),
    "long-numbers": Case(
        [[{"a": BIG - 1, "b": 1}], [{"a": -BIG, "b": BIG}]],
        {"a": "Int64", "b": "String"},
        [{"a": BIG - 1, "b": "1"}, {"a": -BIG, "b": str(BIG)}],
    ),
    "new-fields": Case(
        [[{"a": {"x": 1}}], [{"a": {"y": "z"}, "b": 2}], [{"b": 3}]],
        {"a": "Struct({'x': Int64, 'y': String})", "b": "Int64"},
        [
            {"a": {"x": 1, "y": None}, "b": None},
            {"a": {"x": None, "y": "z"}, "b": 2},
            {"a": None, "b": 3},
        ],
    ),
    "lists": Case(
        [[{"a": []}], [{"a": [{"x": 1}]}], [{"a": [{"x": 1.5}, {"y": [True]}]}]],
        {"a": "List(Struct({'x': Float64, 'y': List(Boolean)}))"},
        [
            {"a": []},
            {"a": [{"x": 1.0, "y": None}]},
            {"a": [{"x": 1.5, "y": None}, {"x": None, "y": [True]}]},
        ],
    ),
    "flat": Case(
        [[{"id": 1, "a": {"b": {"c": 1}, "d": [{"e": 1}]}}], [{"id": 2, "a": None}]],
        {"id": "Int64", "a__b__c": "Int64", "a__d": "List(Struct({'e': Int64}))"},
        [
            {"id": 1, "a__b__c": 1, "a__d": [{"e": 1}]},
            {"id": 2, "a__b__c": None, "a__d": None},
        ],
        {"flatten": True},
    ),
    "nothing-in-it": Case(
        [[{"a": None, "b": {}, "c": []}]],
        {"a": "Null", "b": "String", "c": "List(Null)"},
        [{"a": None, "b": "{}", "c": []}],
    ),
    "empty-pages": Case([[], [{"a": 1}], [], [{"a": 2}]], {"a": "Int64"}, [{"a": 1}, {"a": 2}]),
    "all-empty": Case([[], []], {}, []),
    "no-objects": Case([[1, "x"]], {"value": "String"}, [{"value": "1"}, {"value": "x"}]),
    "unicode": Case(
        [[{"ä b": "日本\u0000\n\U0001f600", "": "q\"'"}]],
        {"ä b": "String", "": "String"},
        [{"ä b": "日本\u0000\n\U0001f600", "": "q\"'"}],
    ),
    "own-types": Case(
        [[{"p": 12.1, "t": "2026-01-02T03:04:05Z", "j": {"x": [1]}}], [{"p": "7"}]],
        {
            "p": "Decimal(precision=10, scale=2)",
            "t": "Datetime(time_unit='us', time_zone='UTC')",
            "j": "String",
            "later": "Date",
        },
        [
            {"p": "12.10", "t": "2026-01-02 03:04:05+00:00", "j": '{"x": [1]}', "later": None},
            {"p": "7.00", "t": None, "j": None, "later": None},
        ],
        {
            "types": {
                "p": "pl.Decimal(10, 2)",
                "t": "pl.Datetime('us', 'UTC')",
                "j": "pl.String",
                "later": "pl.Date",
            }
        },
    ),
}
PLACES: Mapping[str, tuple[Any, dict[str, Any]]] = {
    "deep": ({"data": {"orders": [{"a": 1}]}, "errors": []}, {}),
    "usual": ({"tags": [{"n": 1}], "items": [{"a": 1}]}, {}),
    "named": ({"x": [{"n": 1}], "y": {"z": [{"a": 1}]}}, {"records": "y.z"}),
    "only": ({"a": 1}, {}),
    "only-with-a-list": ({"a": 1, "tags": ["x", "y"]}, {}),
    "dotted": ({"@odata.nextLink": None, "value": [{"a": 1}]}, {}),
}
"""Where an answer may have its records: each has one, {"a": 1}."""
FORMS: Mapping[str, Answer] = {
    "ndjson": Answer(200, lines([{"a": 1}, {"a": 2}]), {"Content-Type": "application/x-ndjson"}),
    "unsaid-ndjson": Answer(200, lines([{"a": 1}, {"a": 2}])),
    "gzip": zipped([{"a": 1}, {"a": 2}]),
    "gzip-file": Answer(200, gzip.compress(lines([{"a": 1}, {"a": 2}]))),
    "bom": Answer(200, b'\xef\xbb\xbf[{"a": 1}, {"a": 2}]'),
    "pretty": Answer(200, b'{\n  "items": [\n    {"a": 1},\n    {"a": 2}\n  ]\n}\n'),
    "utf-16": Answer(200, '[{"a": 1}, {"a": 2}]'.encode("utf-16")),
}
WRONG: Mapping[str, tuple[Any, str]] = {
    "clash": ([{"a": {"b": 1}, "a__b": 2}], "check `types` and `flatten`"),
    "which": ({"x": [{"n": 1}], "y": [{"a": 1}]}, "the records may be x or y; say which"),
    "graphql": (
        {"data": None, "errors": [{"message": "no such field"}]},
        "an error: no such field",
    ),
}


def paged(found: list[Any]) -> Route:
    """Return a route that gives each page in turn."""

    def route(asked: Asked) -> Answer:
        at = int(asked.query.get("at", 0))
        more = {"Link": f'<?at={at + 1}>; rel="next"'} if at + 1 < len(found) else {}
        return Answer(200, found[at], more)

    return route


def answering(answer: Answer) -> Route:
    return lambda _: answer


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving() as server:
        for name, case in CASES.items():
            server.routes[f"/{name}"] = paged(case.pages)
        for name, (body, _) in {**PLACES, **WRONG}.items():
            server.routes[f"/{name}"] = paged([body])
        for name, answer in FORMS.items():
            server.routes[f"/{name}"] = answering(answer)
        server.routes["/large"] = lambda _: Answer(200, large(RECORDS))
        server.routes["/lines"] = lambda _: Answer(200, large_lines(LINES))
        yield server


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Shop:
    """Return a project that has the connector."""
    made = maker(tmp_path_factory.mktemp("rows"), runtime, templates)()
    made.add_asset("any", "--template", "api", "--url", "https://api.example.com/v1/any")
    return made


@pytest.fixture(scope="module")
def found(shop: Shop, api: Api) -> Any:
    """Return what became of all of them; one process reads them."""
    asked: dict[str, Any] = {name: case.options for name, case in CASES.items()}
    asked |= {name: options for name, (_, options) in PLACES.items()}
    asked |= {name: {} for name in FORMS} | {name: {"flatten": True} for name in WRONG}
    done = shop.python(program("api_shapes"), api.url("/"), json.dumps(asked))
    assert done.returncode == 0, told(done)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CASES)
def test_pages_of_every_shape_become_one_table(name: str, found: Any) -> None:
    case = CASES[name]
    assert found[name] == [case.types, case.rows]


@pytest.mark.parametrize("name", PLACES)
def test_records_are_found(name: str, found: Any) -> None:
    kinds, (row,) = found[name]
    assert (kinds["a"], row["a"]) == ("Int64", 1)


@pytest.mark.parametrize("name", FORMS)
def test_json_is_read_in_every_form(name: str, found: Any) -> None:
    assert found[name] == [{"a": "Int64"}, [{"a": 1}, {"a": 2}]]


@pytest.mark.parametrize("name", WRONG)
def test_what_nobody_can_know_is_asked(name: str, found: Any) -> None:
    assert WRONG[name][1] in found[name][0]


def test_d13_a_first_answer_may_have_no_rows(shop: Shop, api: Api) -> None:
    """Nobody knows the columns yet; preview and run show an empty table."""
    shop.add_asset("nothing", "--template", "api", "--url", api.url("/all-empty"))
    with_environment(shop)
    first, second = (shop.core("bronze_nothing") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), told(first)
    assert "no rows yet" in first.stderr
    assert shop.rows("bronze_nothing") == []
    assert len(shop.files("bronze_nothing")) == 2
    previewed = shop.polster("preview", "nothing")
    assert previewed.returncode == 0, told(previewed)
    api.routes["/all-empty"] = lambda _: Answer(200, [{"id": 1}])
    found = shop.json("--asset", "nothing")
    assert found["assets"][0]["rows"] == 1
    assert shop.rows("bronze_nothing") == [{"id": 1}]


RECORDS, LINES = 300_000, 120_000
PADDING = "x" * 150


def large(records: int) -> Iterator[bytes]:
    """Yield one large document, chunk by chunk."""
    yield b'{"meta": {"n": 1}, "data": {"items": ['
    for start in range(0, records, 1_000):
        chunk = json.dumps([{"id": start + n, "s": PADDING} for n in range(1_000)])
        yield (("," if start else "") + chunk[1:-1]).encode()
    yield b"]}}"


def large_lines(records: int) -> Iterator[bytes]:
    for start in range(0, records, 1_000):
        yield lines({"id": start + n, "s": PADDING} for n in range(1_000))


@pytest.mark.parametrize("form", ["large", "lines"])
def test_an_answer_that_is_larger_than_memory_is_read(form: str, shop: Shop, api: Api) -> None:
    """52 and 20 MB, of which a few are in memory at once; read whole it would need 300."""
    done = shop.python(program("api_memory"), api.url(f"/{form}"), cold=True)  # memory of its own
    assert done.returncode == 0, told(done)
    rows, total, megabytes = map(int, done.stdout.split())
    expected = RECORDS if form == "large" else LINES
    assert (rows, total) == (expected, expected * (expected - 1) // 2)
    assert megabytes < 240


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_full_disk_is_named(shop: Shop, api: Api) -> None:
    limit = no_file_longer_than(2**20)
    done = shop.python(program("api_memory"), api.url("/large"), setup=limit)
    assert done.stderr.endswith("/large: no room for the pages: File too large\n"), told(done)
    assert shop.staged() == []
