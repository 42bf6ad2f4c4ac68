"""The template `api`, and what goes wrong: one clear line, no partial snapshot, nothing secret."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.connectors.conftest import Shop, maker
from tests.connectors.http_server import Answer, Api, lines, pages, serving
from tests.connectors.programs import program
from tests.generated.projects import told

ROWS = [{"id": number} for number in range(1, 8)]
SECRET = "top/secret 4711"  # noqa: S105 - it is none
HTML = Answer(200, b"<!DOCTYPE html><html>Log in</html>", {"Content-Type": "text/html"})


@dataclass(frozen=True)
class Fault:
    """Answers in place of the good ones, or another address; and the line that is expected."""

    said: str
    answers: tuple[Answer, ...] = ()
    url: str = ""
    times: int = 1


def again(status: int, **headers: str) -> Answer:
    return Answer(
        status, {"error": "wait"}, {name.replace("_", "-"): v for name, v in headers.items()}
    )


FAULTS = {
    "401": Fault(
        "refused, 401 Unauthorized (no: ***); check API_KEY",
        (Answer(401, {"message": f"no: {SECRET}"}),),
    ),
    "403": Fault("refused, 403 Forbidden; check API_KEY", (Answer(403),)),
    "404": Fault("not found, 404 Not Found; check `url`", (Answer(404),)),
    "429": Fault("429 Too Many Requests (wait), 2 times", (again(429), again(429))),
    "later": Fault(
        "429 Too Many Requests (wait), to be tried again in 3600 s; API_MAX_WAIT is 0.05",
        (again(429, Retry_After="3600"),),
    ),
    "500": Fault("500 Internal Server Error (wait), 2 times", (again(500), again(500))),
    "html": Fault("answered with an HTML page, not with JSON", (HTML,)),
    "broken": Fault("the answer is not valid JSON", (Answer(200, b'{"data": [{"id": 1}, '),)),
    "broken-lines": Fault(
        "the answer is not valid JSON", (Answer(200, lines(ROWS) + b'{"id": 1'),)
    ),
    "second-page": Fault(
        "the answer is not valid JSON",
        (Answer(200, [{"id": 8}], {"Link": '</rows?at=1>; rel="next"'}), Answer(200, b"[{]")),
    ),
    "cut": Fault("the connection broke off, 2 times", (Answer(200, ROWS, cut=True),) * 2),
    "gzip": Fault("the answer cannot be unpacked, 2 times", (Answer(200, b"\x1f\x8bno"),) * 2),
    "error": Fault(
        f"answered with an error: {'x' * 190} ***",
        (Answer(200, {"error": {"message": f"{'x' * 190} {quote_plus(SECRET)}"}}),),
    ),
    "part": Fault("one page has 7 records, of 70", (Answer(200, {"data": ROWS, "total": 70}),)),
    "elsewhere": Fault(
        "the next page is said to be at http://evil.example/x, which is another host",
        (Answer(200, ROWS, {"Link": '<http://evil.example/x?k=1>; rel="next"'}),),
    ),
    "redirected": Fault(
        "redirects to http://evil.example/x",
        (Answer(302, None, {"Location": "http://evil.example/x?k=1"}),),
    ),
    "circle": Fault(
        "pages 1 and 2 are the same",
        (Answer(200, {"data": ROWS, "next": "/rows"}),) * 2,
    ),
    "no-cursor": Fault(
        "a record has no id, but name; check `cursor`", (Answer(200, [{"name": "x"}]),)
    ),
    "no-order": Fault("they have no order", (Answer(200, [{"id": 8}, {"id": "x"}]),)),
    "refused": Fault("connection refused, 2 times", url="http://127.0.0.1:9/rows"),
    "unknown": Fault("the host is unknown, 2 times", url="http://shop.invalid/rows"),
    "silent": Fault("no answer in time, 2 times"),
}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving() as server:
        server.routes["/rows"] = pages("link", ROWS)
        server.allows = lambda asked: asked.query.get("api_key") == SECRET
        yield server


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory,
    runtime: Path,
    templates: Mapping[bool, Path],
    api: Api,
) -> Shop:
    """Return a project with an incremental asset that has run once."""
    made = maker(tmp_path_factory.mktemp("faults"), runtime, templates)()
    made.add_asset(
        *("rows", "--template", "api", "--url", "/rows", "--auth", "api-key-query"),
        *("--cursor", "id", "--cursor-param", "since"),
    )
    missing = made.core("bronze_rows")
    assert missing.returncode == 1
    assert "bronze_rows: API_BASE_URL and API_KEY are not set" in missing.stderr, told(missing)
    made.env(API_BASE_URL=api.url(""), API_KEY=SECRET, API_ATTEMPTS=4, API_MAX_WAIT=0.05)
    api.faults = [again(500), again(503), again(500)]
    done = made.core("bronze_rows")
    assert done.returncode == 0, told(done)
    assert "503 Service Unavailable (wait): trying again" in done.stderr
    made.env(API_ATTEMPTS=2)
    return made


Run = Callable[[Mapping[str, str]], str]


@pytest.fixture(scope="module")
def run(shop: Shop) -> Iterator[Run]:
    """Return what runs the asset, over and over in one process, and says how that ended."""
    with subprocess.Popen(
        [shop.interpreter, program("attempts")],
        cwd=shop.root,
        env=shop.variables(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdin
        assert process.stdout
        asks, says = process.stdin, process.stdout

        def once(env: Mapping[str, str]) -> str:
            asks.write(json.dumps({"asset": "bronze_rows", "env": env}) + "\n")
            asks.flush()
            return str(json.loads(says.readline()))

        yield once
        asks.close()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_line_and_changes_nothing(name: str, shop: Shop, api: Api, run: Run) -> None:
    fault, env = FAULTS[name], dict[str, str]()
    before = (shop.files("bronze_rows"), shop.staged())
    api.faults = list(fault.answers)
    if name == "silent":
        api.faults, env = [Answer(wait=api.broken)] * 2, {"API_TIMEOUT": "0.3"}
    if fault.url:
        env = {"API_BASE_URL": fault.url.removesuffix("/rows")}
    said = run(env)
    line, rest = said.split("\n", 1)
    assert fault.said in line
    assert line in rest.splitlines()[-1], "an error of its own, not of what follows from it"
    assert not any(word in said for word in (*SECRET.split(), quote(SECRET)))
    assert "api_key" not in said
    assert (shop.files("bronze_rows"), shop.staged()) == before
    assert api.faults == []
    assert not any(asked.path == "/x" for asked in api.asked)


@pytest.mark.parametrize("name", ["401", "500"])
def test_a_person_sees_that_line_alone(name: str, shop: Shop, api: Api) -> None:
    api.faults = list(FAULTS[name].answers)
    done = shop.core("bronze_rows")
    assert done.returncode == 1, told(done)
    *warned, line = done.stderr.splitlines()
    assert line.startswith("error: bronze_rows: http://127.0.0.1:"), told(done)
    assert line.endswith(FAULTS[name].said)
    assert len(warned) == len(FAULTS[name].answers) - 1
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_it_waits_as_long_as_it_is_asked_to(form: str, api: Api, run: Run) -> None:
    asked = datetime.now(UTC) + timedelta(seconds=3)  # a date has no fractions of a second
    after = "1" if form == "seconds" else format_datetime(asked, usegmt=True)
    api.faults = [again(429, Retry_After=after)]
    started = time.monotonic()
    assert run({"API_MAX_WAIT": "10"}).startswith("published ")
    assert time.monotonic() - started > 1


def test_it_asks_no_faster_than_it_may(api: Api, run: Run) -> None:
    """Four pages have nothing but a link to the next one."""
    api.faults = [Answer(200, [], {"Link": f'</rows?n={n}>; rel="next"'}) for n in range(4)]
    started = time.monotonic()
    assert run({"API_REQUESTS_PER_SECOND": "10"}).startswith("published ")
    assert time.monotonic() - started > 0.4
    assert api.faults == []


def test_redirects_on_the_same_host_are_followed(api: Api, run: Run) -> None:
    api.faults = [Answer(301, None, {"Location": "/rows?since=1"})]
    assert run({}).startswith("published ")
    assert api.asked[-1].query["api_key"] == SECRET


def test_the_position_is_what_it_was(shop: Shop) -> None:
    """After all of that."""
    assert shop.position("bronze_rows")["value"] == 7
    again_ = shop.core("bronze_rows")
    assert again_.returncode == 0, told(again_)
    assert [row["id"] for row in shop.rows("bronze_rows")] == [row["id"] for row in ROWS]


def test_dagster_tells_the_same_line(shop: Shop, api: Api) -> None:
    api.faults = [Answer(401, {"message": SECRET})]
    found = shop.json(code=1)
    (asset,) = found["assets"]
    assert asset["status"] == "failed"
    assert "refused, 401 Unauthorized (***); check API_KEY" in asset["error"]
    assert api.faults == []


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, ["settings http://", "connect 127.0.0.1:", "read 2 records"]),
        ({"API_KEY": " "}, ["settings error: API_KEY is not set"]),
        (
            {"API_BASE_URL": "http://127.0.0.1:9"},
            ["settings http://", "connect error: http://127.0.0.1:9"],
        ),
        (
            {"API_KEY": "wrong"},
            ["settings http://", "connect 127.0.0.1:", "read error: http://127.0.0.1:"],
        ),
        ({"API_TIMEOUT": "soon"}, ["settings error: API_TIMEOUT must be a number, not 'soon'"]),
    ],
)
def test_the_doctor_names_the_first_step_that_fails(
    shop: Shop, env: dict[str, str], said: list[str]
) -> None:
    done = shop.python(program("steps"), "bronze_rows", env=env)
    found = [f"{name} {text}" for name, text in json.loads(done.stdout).items()]
    assert len(found) == len(said), found
    for line, start in zip(found, said, strict=True):
        assert line.startswith(start)
