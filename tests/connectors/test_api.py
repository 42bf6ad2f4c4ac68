"""The template `api`: every pagination and every authentication, from the command to the rows."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.conftest import Shop, maker
from tests.connectors.http_server import Answer, Api, Asked, pages, serving
from tests.connectors.programs import program
from tests.generated.projects import told

ROWS = [{"id": number, "name": f"n{number}", "at": {"x": number}} for number in range(1, 8)]
IDS = [row["id"] for row in ROWS]

NAMED = {
    "plain_page": ("--pagination", "page"),
    "plain_offset": ("--pagination", "offset"),
    "last_record": ("--pagination", "last-record"),
    "post": ("--method", "POST", "--body", '{"only": true, "tags": ["a"]}', "--flatten"),
}
"""What some need beside the address; the others are found out."""
PAGINATIONS = ("link", "next_url", "cursor", "page", "offset", *NAMED)


def token(asked: Asked) -> str:
    return asked.headers.get("authorization", "")


LETS_IN: Mapping[str, tuple[Callable[[Asked], bool], Mapping[str, str]]] = {
    "bearer": (lambda asked: token(asked) == "Bearer geheim", {"TOKEN": "geheim"}),
    "api-key": (lambda asked: asked.headers.get("x-shop-key") == "geheim", {"KEY": "geheim"}),
    "api-key-query": (lambda asked: asked.query.get("api_key") == "ge&heim", {"KEY": "ge&heim"}),
    "basic": (
        lambda asked: token(asked) == f"Basic {base64.b64encode('zoë:p:w'.encode()).decode()}",
        {"USER": "zoë", "PASSWORD": "p:w"},
    ),
}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving() as server:
        for name in PAGINATIONS:
            kind = "cursor" if name == "post" else name.replace("_", "-")
            server.routes[f"/{name}"] = pages(kind, ROWS)
        for auth, (allowed, _) in LETS_IN.items():
            server.routes[f"/{auth}"] = guarded(allowed)
        server.routes["/oauth2"] = Tokens(uses=2, body_only=True)
        server.routes["/token"] = server.routes["/oauth2"]
        yield server


def guarded(allowed: Callable[[Asked], bool]) -> Callable[[Asked], Answer]:
    """Return pages that are there for some; the next one is named by its address alone."""
    inside = pages("next-url", ROWS)
    return lambda asked: inside(asked) if allowed(asked) else Answer(401, {"message": "who?"})


class Tokens:
    """Gives tokens that are good for some requests only, and rows for them."""

    def __init__(self, uses: int, *, body_only: bool) -> None:
        """Take the secret in the body only, or in the header."""
        self.uses, self.body_only = uses, body_only
        self.given, self.left = 0, 0
        self.rows = pages("link", ROWS)

    def __call__(self, asked: Asked) -> Answer:
        """Answer a request, for a token or for rows."""
        if asked.path == "/token":
            return self.give(asked)
        if not self.left or token(asked) != f"Bearer t{self.given}":
            return Answer(401, {"error": "invalid_token"})
        self.left -= 1
        return self.rows(asked)

    def give(self, asked: Asked) -> Answer:
        """Give a new token; the one before is worth nothing from now on."""
        body = str(asked.body)
        assert "grant_type=client_credentials" in body
        if self.body_only and "client_secret=geheim" not in body:
            return Answer(401, {"error": "invalid_client"})
        self.given, self.left = self.given + 1, self.uses
        return Answer(200, {"access_token": f"t{self.given}", "expires_in": 3600})


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory,
    runtime: Path,
    templates: Mapping[bool, Path],
    api: Api,
) -> Shop:
    """Return a project with an asset for each pagination and each authentication, which has run."""
    made = maker(tmp_path_factory.mktemp("api"), runtime, templates)()
    for name in PAGINATIONS:
        made.add_asset(
            name, "--template", "api", "--url", api.url(f"/{name}"), *NAMED.get(name, ())
        )
    for auth, (_, values) in LETS_IN.items():
        name = auth.replace("-", "_")
        how = ("--auth", auth, "--connection", f"shop-{auth}")
        made.add_asset(name, "--template", "api", "--url", api.url(f"/{auth}"), *how)
        made.env(**{f"SHOP_{name.upper()}_{variable}": text for variable, text in values.items()})
    made.add_asset("oauth", "--template", "api", "--url", "/oauth2", "--auth", "oauth2")
    made.env(API_BASE_URL=api.url(""), API_TOKEN_URL=api.url("/token"))
    made.env(API_CLIENT_ID="polster", API_CLIENT_SECRET="geheim")  # noqa: S106 - it is none
    made.env(SHOP_API_KEY_KEY_NAME="X-Shop-Key")
    return made


@pytest.fixture(scope="module")
def ran(shop: Shop) -> Any:
    return shop.json()


def test_every_row_arrives_once_whatever_the_way(shop: Shop, ran: Any) -> None:
    """One run of `run_polster.py` reads them all."""
    assert ran["success"], ran
    found = {one["name"]: one["rows"] for one in ran["assets"]}
    expected = [*PAGINATIONS, *(auth.replace("-", "_") for auth in LETS_IN), "oauth"]
    assert found == dict.fromkeys(expected, len(ROWS))
    assets = [f"bronze_{name}" for name in expected]
    assert shop.document(program("ids"), *assets) == dict.fromkeys(assets, IDS)


def test_nested_objects_stay_what_they_are_or_become_columns(shop: Shop, ran: Any) -> None:
    assert ran["success"]
    assert shop.rows("bronze_link")[0] == ROWS[0]
    assert shop.rows("bronze_post")[0] == {"id": 1, "name": "n1", "at__x": 1}


def test_what_a_post_asks_for_is_in_its_body(api: Api, ran: Any) -> None:
    assert ran["success"]
    asked = [one for one in api.asked if one.path == "/post"]
    assert {(one.method, *one.query) for one in asked} == {("POST",)}
    body = {"only": True, "tags": ["a"]}
    assert [one.body for one in asked[:2]] == [body, {**body, "cursor": "2"}]


def test_a_token_is_renewed_when_it_is_no_longer_good(api: Api, ran: Any) -> None:
    """Each is good for two pages here, whatever it says."""
    assert ran["success"]
    tokens = api.routes["/token"]
    assert isinstance(tokens, Tokens)
    assert tokens.given == 2


EXPIRING = """
import sys
from polster_runtime.sources.api import fetch_api_data
print(sum(frame.height for frame in fetch_api_data(sys.argv[1], auth="oauth2")))
"""


def test_a_token_is_renewed_when_its_time_is_over(shop: Shop, api: Api) -> None:
    """Nobody refuses one here."""
    given: list[str] = []

    def give(_: Asked) -> Answer:
        given.append(f"t{len(given)}")
        return Answer(200, {"access_token": given[-1], "expires_in": 1e-9})

    api.routes["/brief"] = give
    api.routes["/any"] = pages("link", ROWS)
    env = {"API_TOKEN_URL": api.url("/brief")}
    done = shop.python("-c", EXPIRING, api.url("/any"), env=env)
    assert done.stdout.split() == [str(len(ROWS))], told(done)
    sent = [token(asked) for asked in api.asked if asked.path == "/any"]
    assert sent == [f"Bearer {one}" for one in given]
    assert len(sent) == 4


def test_what_is_written_is_clean_and_tested(shop: Shop) -> None:
    """Of every asset; mypy looks at the same modules in test_written_code.py."""
    files = [str(file) for file in shop.root.rglob("*bronze_*.py")]
    for command in (("check",), ("format", "--check")):
        done = shop.tool("ruff", *command, *files)
        assert done.returncode == 0, told(done)
    done = shop.pytest("tests/test_bronze_link.py", "tests/test_bronze_bearer.py")
    assert done.returncode == 0, told(done)


def test_who_does_not_use_it_does_not_pay_for_it(
    shop: Shop, templates: Mapping[bool, Path]
) -> None:
    bare = (templates[False] / "pyproject.toml").read_text(encoding="utf-8")
    assert "ijson" not in bare
    assert "ijson" in (shop.root / "pyproject.toml").read_text(encoding="utf-8")
    loaded = shop.python(program("modules"), "polster_runtime.sources.base", cold=True).stdout
    assert not {"ijson", "requests"} & set(json.loads(loaded))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--url", "ftp://x/y"), "--url is an address"),
        (("--url", "https://me:pw@x/y"), "--url has a secret in it"),
        (("--url", "https://x/y?api_key=1"), "--url has a secret in it (api_key)"),
        (("--url", "https://x/y", "--lag", "2h"), "--lag needs --cursor"),
        (("--url", "https://x/y", "--body", "{}"), "--body is a JSON object"),
        (("--url", "https://x/y", "--auth", "magic"), "--auth is none of none, bearer"),
        ((), "--template api needs --url"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Shop, args: tuple[str, ...], said: str) -> None:
    done = shop.polster(
        "add-asset", "--layer", "bronze", "--name", "bad", "--template", "api", *args
    )
    assert done.returncode == 2, told(done)
    assert said in done.stderr
    assert not (shop.root / "src/core/bronze_bad.py").exists()
