"""REST APIs: no value changed, no record lost, none twice; a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from dagster import AssetCheckSeverity

from polster_runtime.assets.drift import drift
from polster_runtime.dagster.results import checked
from polster_runtime.errors import SourceError
from polster_runtime.execution.materialize import materialize
from polster_runtime.sources.api import new as new_module
from polster_runtime.sources.api.source import Api
from polster_runtime.sources.base import doubts
from tests.connectors.http_server import Answer, Asked, serving
from tests.connectors.http_server import Api as Server
from tests.runtime.conftest import CoreFile

ROWS = [{"id": number} for number in range(1, 8)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a server that the variables name; a request is sent only once."""
    with serving() as running:
        monkeypatch.setenv("API_BASE_URL", running.url(""))
        monkeypatch.setenv("API_ATTEMPTS", "1")
        yield running


def read(source: Api, position: Any = None) -> tuple[pl.DataFrame, Any]:
    """Return the rows after a position, and the new position as the next run finds it."""
    frames, found = list[pl.DataFrame](), source.read(position)
    while True:
        try:
            frames.append(next(found).lazy().collect())
        except StopIteration as end:
            reached = position if end.value is None else end.value
            rows = pl.concat(frames) if frames else pl.DataFrame()
            return rows, json.loads(json.dumps(reached))


def ids(source: Api, position: Any = None) -> list[Any]:
    rows, _ = read(source, position)
    return rows["id"].to_list() if rows.height else []


def part(rows: Sequence[Any], at: int, size: int = 3) -> list[Any]:
    return list(rows[at : at + size])


def test_d9_a_total_in_quotes_is_a_total(server: Server) -> None:
    def route(asked: Asked) -> Answer:
        at = int(asked.query.get("offset", 0))
        return Answer(200, {"data": part(ROWS, at), "total": "7", "offset": at, "limit": 3})

    server.routes["/rows"] = route
    assert ids(Api(url="rows")) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("beside", [{"total": None, "limit": 3}, {"limit": "3"}, {}])
def test_d9_without_a_total_it_reads_until_a_page_is_empty(
    beside: dict[str, Any], server: Server
) -> None:
    def route(asked: Asked) -> Answer:
        at = int(asked.query.get("offset", 0))
        return Answer(200, {"data": part(ROWS, at), "offset": str(at), **beside})

    server.routes["/rows"] = route
    assert ids(Api(url="rows")) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("pagination", ["page", "auto"])
def test_d9_a_page_that_is_not_there_is_the_end(pagination: str, server: Server) -> None:
    """As Django REST has it."""

    def route(asked: Asked) -> Answer:
        number = int(asked.query.get("page", 1))
        found = part(ROWS, 3 * number - 3)
        if not found:
            return Answer(404, {"detail": "Invalid page."})
        return Answer(200, {"results": found, "page": number, "per_page": 3})

    server.routes["/rows"] = route
    assert ids(Api(url="rows", pagination=pagination)) == [1, 2, 3, 4, 5, 6, 7]


def test_d9_a_page_that_must_be_there_is_an_error(server: Server) -> None:
    def route(asked: Asked) -> Answer:
        if asked.query.get("page") == "2":
            return Answer(404)
        return Answer(200, {"results": part(ROWS, 0), "page": 1, "total_pages": 3})

    server.routes["/rows"] = route
    with pytest.raises(SourceError, match="not found, 404"):
        read(Api(url="rows"))
    server.routes["/rows"] = lambda _: Answer(404)
    with pytest.raises(SourceError, match="not found, 404"):
        read(Api(url="rows", pagination="page"))


NOT_THERE: dict[str, tuple[str, dict[str, Any], bool, int]] = {
    "a number in the address": ("?page=2", {}, True, 1),
    "an offset in the address": ("?limit=3&offset=3", {}, True, 1),
    "a total that has come": ("?after=x", {"total": 3}, True, 0),
    "the last page of all": ("?after=x", {"last_page": 1}, True, 0),
    "a total that has not": ("?page=2", {"total": 7}, False, 0),
    "a count that has not": ("?page=2", {"count": 7}, False, 0),
    "a count that may be that of a page": ("?after=x", {"count": 3}, False, 0),
    "pages that have not": ("?page=2", {"total_pages": 3}, False, 0),
    "an answer with more": ("?page=2", {"has_more": True}, False, 0),
    "a cursor that has expired": ("?after=x", {}, False, 0),
}


@pytest.mark.parametrize("case", NOT_THERE)
def test_d9_a_next_page_that_is_not_there(case: str, server: Server) -> None:
    following, beside, is_end, warnings = NOT_THERE[case]

    def route(asked: Asked) -> Answer:
        if asked.query:
            return Answer(404)
        return Answer(200, {"data": part(ROWS, 0), "next": f"/rows{following}", **beside})

    server.routes["/rows"] = route
    with doubts() as found:
        if is_end:
            assert ids(Api(url="rows", records="data")) == [1, 2, 3]
        else:
            with pytest.raises(SourceError, match="not found, 404"):
                read(Api(url="rows", records="data"))
    assert len(found) == warnings
    assert all("page 1 leads to another, which is not there (404)" in one for one in found)


def test_d9_a_numbered_page_that_an_answer_counts_must_be_there(server: Server) -> None:
    server.routes["/rows"] = lambda asked: (
        Answer(200, {"count": 7, "results": part(ROWS, 0)})
        if asked.query.get("page") == "1"
        else Answer(404)
    )
    with pytest.raises(SourceError, match="not found, 404"):
        read(Api(url="rows", pagination="page"))


def test_d9_an_end_that_speaks_of_more_is_an_error(server: Server) -> None:
    server.routes["/rows"] = lambda _: Answer(200, {"data": [], "has_more": True})
    with pytest.raises(SourceError, match="0 records, there are more, but page 1 does not lead"):
        read(Api(url="rows", pagination="last-record"))


CIRCLES = {
    "links": (["1", "2", "1"], "link"),
    "the same cursor for ever": (["a", "a"], "cursor"),
    "cursors to and fro": (["a", "b", "a"], "cursor"),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_d9_d22_circles_are_noticed(name: str, server: Server) -> None:
    way, kind = CIRCLES[name]

    def route(_: Asked) -> Answer:
        """Each page has other records, so that no two of them are the same."""
        number = len(server.asked)
        following = way[(number - 1) % len(way)]
        if kind == "link":
            link = {"Link": f'</rows?at={following}>; rel="next"'}
            return Answer(200, [{"id": number}], link)
        return Answer(200, {"items": [{"id": number}], "next_cursor": following})

    server.routes["/rows"] = route
    with pytest.raises(SourceError, match="the pages lead in a circle"):
        read(Api(url="rows"))
    assert len(server.asked) <= len(way) + 1


def test_d22_an_empty_page_with_its_own_cursor_is_the_end(server: Server) -> None:
    """As APIs do that give the cursor to come back with."""

    def route(asked: Asked) -> Answer:
        found = [] if asked.query.get("cursor") == "z" else ROWS[:2]
        return Answer(200, {"items": found, "next_cursor": "z"})

    server.routes["/rows"] = route
    assert ids(Api(url="rows")) == [1, 2]


def test_d22_empty_pages_end_some_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of them are passed: some APIs filter after they have cut into pages."""
    monkeypatch.setattr("polster_runtime.sources.api.route.MAX_EMPTY_PAGES", 20)

    def route(asked: Asked) -> Answer:
        number = int(asked.query.get("cursor", 0))
        found = [{"id": 1}] if number == 10 else []
        return Answer(200, {"items": found, "next_cursor": number + 1 if number < 12 else None})

    server.routes["/rows"] = route
    assert ids(Api(url="rows", records="items")) == [1]
    server.routes["/rows"] = lambda asked: Answer(
        200, {"items": [], "next_cursor": int(asked.query.get("cursor", 0)) + 1}
    )
    with pytest.raises(SourceError, match="21 pages without a record"):
        read(Api(url="rows", records="items"))


def test_d22_numbers_of_pages_in_quotes(server: Server) -> None:
    def route(asked: Asked) -> Answer:
        number = int(asked.query.get("page", 1))
        meta = {"page": str(number), "total_pages": "3"}
        return Answer(200, {"data": part(ROWS, 3 * number - 3), "meta": meta})

    server.routes["/rows"] = route
    assert ids(Api(url="rows")) == [1, 2, 3, 4, 5, 6, 7]


def test_d22_another_port_gets_no_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "geheim")
    with serving() as other:
        other.routes["/rows"] = lambda _: Answer(200, ROWS)
        server.routes["/rows"] = lambda _: Answer(302, None, {"Location": other.url("/rows")})
        with pytest.raises(SourceError, match=r"redirects to http://127\.0\.0\.1"):
            read(Api(url="rows", auth="bearer"))
        assert other.asked == []


@pytest.mark.parametrize(
    "headers",
    [{"X-Total-Count": "7"}, {"X-WP-Total": "7"}, {"Content-Range": "items 0-2/7"}],
)
def test_d9_a_total_in_a_header(headers: dict[str, str], server: Server) -> None:
    server.routes["/rows"] = lambda _: Answer(200, ROWS[:3], headers)
    with pytest.raises(SourceError, match="one page has 3 records, of 7; say how"):
        read(Api(url="rows"))
    server.routes["/rows"] = lambda _: Answer(200, ROWS, headers)
    assert len(ids(Api(url="rows"))) == 7


def test_d9_an_error_beside_records_is_not_passed_over(server: Server) -> None:
    server.routes["/rows"] = lambda _: Answer(200, {"data": [], "error": "no quota"})
    with pytest.raises(SourceError, match="answered with an error: no quota"):
        read(Api(url="rows"))
    server.routes["/rows"] = lambda _: Answer(200, {"data": ROWS, "errors": ["one shard failed"]})
    with doubts() as found:
        assert len(ids(Api(url="rows"))) == 7
    assert "answered with records, and with an error: one shard failed" in found[0]
    server.routes["/rows"] = lambda _: Answer(200, {"data": ROWS, "errors": [], "error": None})
    with doubts() as found:
        assert len(ids(Api(url="rows"))) == 7
    assert not found


@pytest.mark.parametrize("beside", [{}, {"total": 0, "next": None, "errors": []}])
def test_d13_null_in_place_of_a_list_is_no_record(beside: dict[str, Any], server: Server) -> None:
    server.routes["/rows"] = lambda _: Answer(200, {"data": None, **beside})
    assert ids(Api(url="rows")) == []
    server.routes["/rows"] = lambda _: Answer(200, {"data": None, "id": 5})
    assert ids(Api(url="rows")) == [5]


def test_d13_an_empty_first_answer_has_the_columns_of_types(server: Server) -> None:
    server.routes["/rows"] = lambda _: Answer(200, [])
    rows, _ = read(Api(url="rows", types={"price": pl.Decimal(10, 2)}))
    assert rows.schema == {"price": pl.Decimal(10, 2)}


NESTED = {"address": {"city": "Ulm"}, "lines": [{"n": 1}, {"n": 2}]}
CHANGES: dict[str, dict[str, Any]] = {
    "a field without a value": {"extra": None},
    "a field more": {"extra": 5},
    "a number with a point": {"n": 5.0},
    "a field without a value goes": {"nothing": ...},
    "in another form": {"at": "2026-01-02T00:00:00Z"},
    "a field more in an object": {"address": {"city": "Ulm", "street": {"name": "x"}}},
    "a field more in the objects of a list": {"lines": [{"n": 1, "m": 2}, {"n": 2}]},
}


@pytest.mark.parametrize("lag", [0, 86_400])
@pytest.mark.parametrize("key", ["", "id"])
@pytest.mark.parametrize("change", CHANGES)
def test_d17_fields_change_and_no_record_comes_twice(
    change: str, key: str, lag: int, server: Server
) -> None:
    day = "2026-01-02"
    rows: list[dict[str, Any]] = [
        {"id": number, "at": day, "n": 5, "nothing": None} | NESTED for number in (1, 2)
    ]
    server.routes["/rows"] = lambda _: Answer(200, rows)
    source = Api(url="rows", cursor="at", key=key, lag=lag, pagination="none")
    assert sorted(ids(source)) == [1, 2]
    _, position = read(source)
    rows += [{"id": 3, "at": day, "n": 5, "nothing": None} | NESTED]
    rows[:] = [
        {name: value for name, value in {**row, **CHANGES[change]}.items() if value is not ...}
        for row in rows
    ]
    found, position = read(source, position)
    assert found["id"].to_list() == [3]
    assert read(source, position)[0].height == 0


def test_d17_a_field_that_goes(server: Server) -> None:
    """By a key that changes no mark; without one nobody could tell."""
    rows: list[dict[str, Any]] = [{"id": 1, "at": 7, "n": 5}, {"id": 2, "at": 7, "n": 6}]
    server.routes["/rows"] = lambda _: Answer(200, rows)
    keyed, plain = (Api(url="rows", cursor="at", key=key) for key in ("id", ""))
    (_, by_key), (_, by_fields) = read(keyed), read(plain)
    rows[:] = [{"id": number, "at": 7} for number in (1, 2, 3)]
    assert ids(keyed, by_key) == [3]
    with pytest.raises(SourceError, match="without n records that were read cannot be told"):
        read(plain, by_fields)


def test_d17_records_that_are_not_given_again_stay_known(server: Server) -> None:
    """An API may give what comes after the cursor alone, now and then."""
    rows = [{"id": 1, "at": 7}]
    server.routes["/rows"] = lambda _: Answer(200, rows)
    source = Api(url="rows", cursor="at")
    _, position = read(source)
    rows.clear()
    _, position = read(source, position)
    rows += [{"id": 1, "at": 7}, {"id": 2, "at": 7}]
    assert ids(source, position) == [2]


def test_d17_too_many_records_are_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_module, "MAX_MARKS", 6)
    server.routes["/rows"] = lambda _: Answer(200, [{**row, "at": 7} for row in ROWS])
    with pytest.raises(SourceError, match="more than 6 records have the largest cursor"):
        read(Api(url="rows", cursor="at"))


@pytest.mark.parametrize("form", ["{}", "{}T00:00:00Z"])
def test_d21_a_cursor_in_the_future_is_not_the_end(form: str, server: Server) -> None:
    rows = [{"id": 1, "at": form.format("2026-01-01")}, {"id": 2, "at": form.format("9999-12-31")}]
    server.routes["/rows"] = lambda _: Answer(200, rows)
    source = Api(url="rows", cursor="at", cursor_param="since", pagination="none")
    rows_, position = read(source)
    assert rows_["id"].to_list() == [1, 2]
    assert position["value"] == form.format("2026-01-01")
    assert drift(None, {}, [], 2, position).future_cursor == form.format("9999-12-31")
    rows += [{"id": 3, "at": form.format("2026-01-02")}]
    found, position = read(source, position)
    assert found["id"].to_list() == [3]
    assert read(source, position)[0].height == 0
    assert server.asked[-1].query["since"] == form.format("2026-01-02")


@pytest.fixture(params=["at once", "by record"])
def any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each answer be small, or large."""
    limit = 2**30 if request.param == "at once" else 1
    monkeypatch.setattr("polster_runtime.sources.api.answer.API_IN_MEMORY", limit)


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_d25_what_is_no_number_of_json_is_an_error(constant: str, server: Server) -> None:
    body = f'{{"data": [{{"a": 1.5}}, {{"a": {constant}}}]}}'.encode()
    server.routes["/rows"] = lambda _: Answer(200, body)
    with pytest.raises(SourceError, match="not valid JSON") as error:
        read(Api(url="rows"))
    assert f"{constant} is no number of JSON" in str(error.value)


@pytest.mark.usefixtures("any_size")
def test_d25_numbers_that_no_float_holds_stay_as_they_are(server: Server) -> None:
    body = b'{"data": [{"a": 1e400, "b": 12345678901234567.89, "c": 0.1, "d": 36893488147419103232}'
    body += b', {"a": 1, "b": 2.5, "c": 1, "d": null}]}'
    server.routes["/rows"] = lambda _: Answer(200, body)
    rows, _ = read(Api(url="rows"))
    assert rows.rows() == [
        (rows["a"][0], "12345678901234567.89", 0.1, "36893488147419103232"),
        ("1", "2.5", 1.0, None),
    ]
    assert Decimal(rows["a"][0]) == Decimal("1e400")


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("depth", [100, 5_000])
def test_d25_deep_nesting_names_the_record(depth: int, server: Server) -> None:
    deep = "[" * depth + "]" * depth
    body = f'[{{"a": 1}}, {{"a": {deep}}}]'.encode()
    server.routes["/rows"] = lambda _: Answer(200, body)
    with pytest.raises(SourceError, match=r"record 2.*nested"):
        read(Api(url="rows"))


def test_d25_halves_of_characters_name_the_record(server: Server) -> None:
    server.routes["/rows"] = lambda _: Answer(200, b'[{"a": "x"}, {"a": "\\ud800"}]')
    with pytest.raises(SourceError, match="record 2: it has half of a surrogate pair"):
        read(Api(url="rows"))


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("twice", ['{"a": 1, "a": 2}', '{"b": [{"a": 1, "a": 1}]}'])
def test_a_key_that_comes_twice_is_an_error(twice: str, server: Server) -> None:
    server.routes["/rows"] = lambda _: Answer(200, f'{{"data": [{{"a": 1}}, {twice}]}}'.encode())
    with pytest.raises(
        SourceError, match=r'without losing a value .*has the key "a" twice'
    ) as error:
        read(Api(url="rows"))
    assert not error.value.retryable
    lines = f'{{"a": 1}}\n{twice}\n'.encode()
    server.routes["/rows"] = lambda _: Answer(200, lines, {"Content-Type": "application/x-ndjson"})
    with pytest.raises(SourceError, match='record 2, an object has the key "a" twice'):
        read(Api(url="rows"))


@pytest.mark.parametrize("count", [99, 100])
def test_d9_a_full_page_without_word_of_more_is_a_doubt(count: int, server: Server) -> None:
    warns = count == 100
    server.routes["/rows"] = lambda _: Answer(200, [{"id": number} for number in range(count)])
    with doubts() as found:
        assert len(ids(Api(url="rows"))) == count
    assert bool(found) == warns
    told = drift(None, {}, [], count, None, found)
    assert bool(told) == warns
    assert "100 records, and no word of further pages" in (told.doubts or "") or not warns
    with doubts() as found:
        assert len(ids(Api(url="rows", pagination="none"))) == count
    assert found == []


SOURCE = """
    from polster_runtime.sources.api import Api

    source = Api(url="rows", cursor="at")

    def extract(position):
        return (yield from source.read(position))
"""


def test_d9_d21_a_run_warns_of_a_full_page_and_of_a_cursor_in_the_future(
    server: Server, core_file: CoreFile
) -> None:
    rows = [{"id": number, "at": f"2026-01-{1 + number % 9:02}"} for number in range(99)]
    server.routes["/rows"] = lambda _: Answer(200, [*rows, {"id": 99, "at": "9999-12-31"}])
    found = checked(materialize(core_file("bronze_rows", SOURCE).extract, []))
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    said = {name: value.value for name, value in found.metadata.items()}
    assert said["future_cursor"] == "9999-12-31"
    assert "100 records, and no word of further pages" in str(said["doubts"])
    rows.append({"id": 100, "at": "2026-02-01"})
    done = materialize(core_file("bronze_rows", SOURCE).extract, [])
    assert done.rows == 1, "the position is what is behind the cursor in the future"
    assert "doubts" not in checked(done).metadata


def test_d8_a_type_that_would_round_is_refused(server: Server) -> None:
    server.routes["/rows"] = lambda _: Answer(200, b'[{"p": 12.349}]')
    with pytest.raises(SourceError, match=r"p: 12.349 is no decimal with 2 digits"):
        read(Api(url="rows", types={"p": pl.Decimal(10, 2)}))
    server.routes["/rows"] = lambda _: Answer(200, b'[{"p": 12.30, "t": 1.5}, {"p": "7"}]')
    rows, _ = read(Api(url="rows", types={"p": pl.Decimal(10, 2), "t": pl.String()}))
    assert [str(value) for value in rows["p"]] == ["12.30", "7.00"]
    assert rows["t"].to_list() == ["1.5", None]
