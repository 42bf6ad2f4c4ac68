"""The template `api`, night after night: only what is new, nothing lost and nothing twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.conftest import MakeShop, Shop
from tests.connectors.http_server import Answer, Api, Asked, pages, serving
from tests.connectors.programs import program
from tests.generated.projects import told
from tests.generated.warm import Done

ROUNDS = int(os.environ.get("KILLS", "28"))


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as server:
        yield server


def asset(project: MakeShop, api: Api, *args: str) -> Shop:
    shop = project()
    how = ("--cursor", "id", "--cursor-param", "since", *args)
    shop.add_asset("rows", "--template", "api", "--url", api.url("/rows"), *how)
    return shop


def ids(runs: Shop) -> list[int]:
    return [row["id"] for row in runs.rows("bronze_rows")]


def ran(runs: Shop) -> Done:
    done = runs.direct("bronze_rows")
    assert done.returncode == 0, told(done)
    return done


def test_killed_at_any_moment_no_row_is_lost_and_none_comes_twice(
    project: MakeShop, api: Api
) -> None:
    """Rows arrive while it reads, some with the cursor of a row that was read already."""
    rows = [{"id": number, "n": 0} for number in range(20)]
    paged = pages("plain-offset", rows, size=30)

    def growing(asked: Asked) -> Answer:
        answer = paged(asked)
        if asked.query["offset"] == "0":
            last = rows[-1]
            rows.append({"id": last["id"], "n": last["n"] + 1})
            rows.extend({"id": last["id"] + step, "n": 0} for step in range(1, 4))
        return answer

    api.routes["/rows"] = growing
    shop = asset(project, api, "--pagination", "offset")
    killing = shop.python(program("killed_runs"), "bronze_rows", str(ROUNDS), "7")
    assert killing.returncode == 0, told(killing)
    assert 5 < int(killing.stdout) < ROUNDS, "some ended, and some were killed"
    api.routes["/rows"] = paged
    done = shop.core("bronze_rows")
    assert done.returncode == 0, told(done)
    arrived = [(row["id"], row["n"]) for row in shop.rows("bronze_rows")]
    assert len(rows) > 20 + ROUNDS, "a quarter of the runs got far enough to read"
    assert sorted(arrived) == sorted((row["id"], row["n"]) for row in rows)


def test_an_increment_asks_for_what_is_new_alone(project: MakeShop, api: Api) -> None:
    rows = [{"id": number} for number in range(1, 6)]
    api.routes["/rows"] = pages("link", rows, size=3)
    shop = asset(project, api)
    ran(shop)
    assert all("since" not in asked.query for asked in api.asked)
    api.asked.clear()
    assert "0 rows" in ran(shop).stdout, "an empty increment has the columns of before"
    assert [asked.query["since"] for asked in api.asked] == ["5"]
    rows += [{"id": 6}, {"id": 7}]
    ran(shop)
    assert ids(shop) == [1, 2, 3, 4, 5, 6, 7]
    assert len(shop.files("bronze_rows")) == 3


def test_rows_that_arrive_late_arrive(project: MakeShop, api: Api) -> None:
    """Within the lag; each of them once, and an older one never."""
    at = "2026-01-01T{}:00Z".format
    rows: list[dict[str, Any]] = [{"id": 1, "at": at("10:00")}, {"id": 2, "at": at("12:00")}]
    api.routes["/rows"] = lambda _: Answer(200, rows)
    shop = project()
    how = ("--cursor", "at", "--cursor-param", "since", "--lag", "1h", "--pagination", "none")
    shop.add_asset("rows", "--template", "api", "--url", api.url("/rows"), *how)
    ran(shop)
    rows += [
        {"id": 3, "at": at("11:00")},
        {"id": 4, "at": at("10:59")},
        {"id": 5, "at": at("12:01")},
    ]
    ran(shop)
    ran(shop)
    assert ids(shop) == [1, 2, 3, 5]
    assert [asked.query.get("since") for asked in api.asked] == [None, at("11:00"), at("11:01")]
    assert shop.position("bronze_rows")["value"] == at("12:01")


def test_an_api_that_cannot_be_asked_for_what_is_new_is_read_whole(
    project: MakeShop, api: Api
) -> None:
    """What is new is found out here; so is where a person says that it begins."""
    rows = [{"meta": {"seq": str(number)}} for number in range(8, 12)]
    api.routes["/rows"] = lambda _: Answer(200, {"rows": rows})
    shop = project()
    url = ("--url", api.url("/rows"))
    shop.add_asset("rows", "--template", "api", *url, "--cursor", "meta.seq")
    ran(shop)
    rows += [{"meta": {"seq": "12"}}]
    ran(shop)
    found = [row["meta"]["seq"] for row in shop.rows("bronze_rows")]
    assert found == ["8", "9", "10", "11", "12"], "numbers in quotes are numbers"


def test_the_options_go_together(project: MakeShop, api: Api) -> None:
    """POST, a name and a password, pages by number, nested rows as columns, what is new alone."""
    rows = [{"id": number, "by": {"name": f"n{number}"}} for number in range(1, 6)]
    paged = pages("page", rows)
    api.routes["/v1/rows"] = paged
    api.allows = lambda asked: asked.headers.get("authorization") == "Basic bWU6cHc="
    shop = project()
    shop.add_asset(
        *("rows", "--template", "api", "--connection", "crm", "--url", "v1/rows?x=1"),
        *("--method", "POST", "--body", '{"only": ["a"]}', "--auth", "basic", "--flatten"),
        *("--pagination", "page", "--records-path", "results"),
        *("--cursor", "id", "--cursor-param", "since", "--lag", "1"),
    )
    shop.env(CRM_BASE_URL=api.url("/"), CRM_USER="me", CRM_PASSWORD="pw")  # noqa: S106
    ran(shop)
    rows.append({"id": 6, "by": {"name": "n6"}})
    ran(shop)
    found = [{"id": number, "by__name": f"n{number}"} for number in range(1, 7)]
    assert shop.rows("bronze_rows") == found
    assert {asked.query["x"] for asked in api.asked} == {"1"}
    assert api.asked[0].body == {"only": ["a"], "page": 1}
    assert api.asked[-1].body == {"only": ["a"], "page": 3, "since": 4}


def test_types_that_do_not_go_together_are_refused(project: MakeShop, api: Api) -> None:
    """Nobody could read the rows of both nights; those of the first can be read."""
    nights = [
        [{"id": 1, "a": None, "b": 1}],
        [{"id": 2, "a": [1], "b": 1.5}],
        [{"id": 3, "a": [2.5], "b": "x"}],
        [{"id": 4, "a": "none", "b": "y"}],
    ]
    api.routes["/rows"] = lambda _: Answer(200, nights[0])
    shop = asset(project, api)
    for _ in range(3):
        ran(shop)
        nights.pop(0)
    refused = shop.direct("bronze_rows")
    assert refused.returncode == 1
    assert "a was List(Float64) and is String now, which do not go together" in refused.stderr
    assert [(row["a"], row["b"]) for row in shop.rows("bronze_rows")] == [
        (None, "1"),
        ([1.0], "1.5"),
        ([2.5], "x"),
    ]
