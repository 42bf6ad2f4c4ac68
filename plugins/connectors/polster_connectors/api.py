"""The template `api`: the records of a REST API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from polster_connectors import shared
from polster_core.errors import UsageProblem
from polster_core.types import AssetContext, AssetTemplate, EnvVar, NewFile, Option

_DEFAULT = "API"
_BASE_URL = EnvVar(
    name="API_BASE_URL",
    help="What comes before the paths of an API's assets: https://api.example.com/v1",
    required=True,
)
_KEY = EnvVar(name="API_KEY", help="The key to the API.", secret=True, required=True)
_AUTH = {
    "none": (),
    "bearer": (
        EnvVar(name="API_TOKEN", help="The token for the API.", secret=True, required=True),
    ),
    "api-key": (
        _KEY,
        EnvVar(name="API_KEY_NAME", help="The header that it goes into.", default="X-API-Key"),
    ),
    "api-key-query": (
        _KEY,
        EnvVar(name="API_KEY_NAME", help="The parameter that it goes into.", default="api_key"),
    ),
    "basic": (
        EnvVar(name="API_USER", help="Who asks the API.", required=True),
        EnvVar(name="API_PASSWORD", help="Their password.", secret=True, required=True),
    ),
    "oauth2": (
        EnvVar(name="API_TOKEN_URL", help="Where the API's tokens come from.", required=True),
        EnvVar(name="API_CLIENT_ID", help="Who asks for them.", required=True),
        EnvVar(name="API_CLIENT_SECRET", help="Their secret.", secret=True, required=True),
        EnvVar(name="API_SCOPE", help="What the tokens shall be good for."),
    ),
}
"""How an API lets one in, and the variables that it takes."""
_TUNING = (
    EnvVar(
        name="API_REQUESTS_PER_SECOND",
        help="How many requests the API gets in a second; 0: as many as it answers.",
        default="0",
    ),
    EnvVar(
        name="API_ATTEMPTS", help="How often a request is sent before it has failed.", default="5"
    ),
    EnvVar(
        name="API_TIMEOUT",
        help="The seconds without an answer until it is sent again.",
        default="30",
    ),
    EnvVar(
        name="API_MAX_WAIT",
        help="The seconds to wait before that at most, whatever Retry-After asks for.",
        default="300",
    ),
)
_PAGINATIONS = ("auto", "none", "link", "next-url", "page", "offset", "cursor", "last-record")
_SECRETS = ("token", "key", "secret", "password", "passwd", "signature", "sig", "auth")

_OPTIONS = (
    Option(
        name="url",
        help="The address, with its query; or a path, for which API_BASE_URL has the rest.",
        question="Which address (https://…)?",
        required=True,
    ),
    Option(
        name="auth",
        help="Authentication method; the secrets go into .env.",
        choices=tuple(_AUTH),
        default="none",
        question="How does it let you in?",
    ),
    Option(name="method", help="GET or POST.", choices=("GET", "POST"), default="GET"),
    Option(name="body", help="What is sent with POST: a JSON object."),
    Option(
        name="records-path",
        help="Where an answer has its records: data.items; found by itself, as a rule.",
    ),
    Option(
        name="pagination",
        help="How one gets to the next page; found by itself, as a rule.",
        choices=_PAGINATIONS,
        default="auto",
    ),
    shared.CURSOR,
    Option(
        name="cursor-param",
        help="The parameter that asks for what is new: updated_since. All is read without it.",
    ),
    shared.LAG,
    Option(
        name="key",
        help="The field that tells records of the same cursor apart: id. All fields without it.",
    ),
    Option(
        name="flatten",
        help="Make a column of each field of a nested object.",
        flag=True,
        default="false",
    ),
    shared.CONNECTION,
)


def template() -> AssetTemplate:
    """Return the template."""
    return AssetTemplate(
        name="api",
        summary="a REST API",
        layers=("bronze",),
        options=_OPTIONS,
        # Dagster brings requests along anyway; ijson reads what is larger than memory.
        requirements=("ijson>=3.3,<4", "requests>=2.32,<3"),
        runtime=(shared.part("api"),),
        env_of=_env,
        files=_files,
    )


def _env(context: AssetContext) -> Iterable[EnvVar]:
    known = (*_needed(context), *_TUNING)
    return shared.variables(_DEFAULT, known)(context)


def _needed(context: AssetContext) -> tuple[EnvVar, ...]:
    base = () if _is_whole(context.answers["url"]) else (_BASE_URL,)
    return (*base, *_AUTH[context.answers["auth"]])


def _is_whole(url: str) -> bool:
    return "://" in url


def _files(context: AssetContext) -> Iterator[NewFile]:
    start = shared.prefix(context, _DEFAULT)
    needed = [one.name for one in _needed(context) if one.required]
    for file in shared.files(
        context,
        "api",
        "Api",
        list(_arguments(context, start)),
        incremental="cursor" in context.answers,
        needs=f"{start}{needed[0].removeprefix(_DEFAULT)}" if needed else "",
        note=f"reads {_address(context)}",
    ):
        own = file.path == context.asset.test_file and not needed
        yield replace(file, text=_test(context)) if own else file


def _arguments(context: AssetContext, start: str) -> Iterator[str]:
    """Yield the arguments of `Api(...)`: those that differ from what it does by itself."""
    from polster_core.rendering.python_source import quoted

    answers = context.answers
    yield f"url={quoted(_address(context))}"
    if answers["method"] != "GET":
        yield f"method={quoted(answers['method'])}"
    if body := _body(context):
        yield f"body={_literal(body)}"
    usual = {"records": ("records-path", ""), "pagination": ("pagination", "auto")}
    usual |= {"auth": ("auth", "none"), "cursor": ("cursor", "")}
    usual |= {"cursor_param": ("cursor-param", ""), "key": ("key", "")}
    for name, (option, default) in usual.items():
        if (answer := answers.get(option, default)) != default:
            yield f"{name}={quoted(answer)}"
    if lag := shared.lag(context):
        yield f"lag={lag}"
    if answers["flatten"] == "true":
        yield "flatten=True"
    if start != _DEFAULT:
        yield f"connection={quoted(start)}"


def _address(context: AssetContext) -> str:
    """Return `--url`. Raises UsageProblem for what is no address, and for one with a secret."""
    url = context.answers["url"].strip()
    for option in ("cursor-param", "lag", "key"):
        if context.answers.get(option) and not context.answers.get("cursor"):
            raise UsageProblem(f"--{option} needs --cursor")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageProblem(f"--url: {error}: {url}") from error
    if any(not sign.isprintable() or sign == " " for sign in url) or not parts.path + str(host):
        raise UsageProblem("--url is an address: https://api.example.com/v1/orders")
    if _is_whole(url) and (parts.scheme not in {"http", "https"} or not host):
        raise UsageProblem(
            "--url is an address, https://api.example.com/v1/orders, or a path: orders"
        )
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    secret = next((name for name in names if name.lower().split("_")[-1] in _SECRETS), None)
    if parts.username or secret:
        kind = "basic" if parts.username else "api-key-query"
        raise UsageProblem(
            f"--url has a secret in it{f' ({secret})' if secret else ''}, and git would see it",
            hint=f"leave it out, add  --auth {kind}  and put it into .env",
        )
    return url


def _body(context: AssetContext) -> dict[str, object]:
    text = context.answers.get("body")
    if not text:
        return {}
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict) or context.answers["method"] == "GET":
        raise UsageProblem("--body is a JSON object, and goes with --method POST")
    return body


def _literal(value: object) -> str:
    """Return a JSON value as Python, in the quotes that a formatter would choose."""
    from polster_core.rendering.python_source import quoted

    if isinstance(value, dict):
        inner = (f"{quoted(name)}: {_literal(one)}" for name, one in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return quoted(value) if isinstance(value, str) else repr(value)


def _test(context: AssetContext) -> str:
    """Return a test for an asset that needs no variables."""
    from polster_core.rendering import render
    from polster_core.rendering.python_source import docstring, imported

    known = {
        "tests": docstring(f"Tests of {context.asset.core_file}."),
        "attempts": f"{shared.prefix(context, _DEFAULT)}_ATTEMPTS",
        "source_import": imported(context.asset.core_module, "source"),
    }
    return render(shared.PACKAGE, "templates/assets/api_test.py.jinja", known)
