"""Read tables and queries of PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import PurePosixPath

from polster_core.errors import UsageProblem
from polster_core.hookspecs import hookimpl
from polster_core.types import AssetContext, AssetTemplate, EnvVar, NewFile, Option, RuntimePart

polster_api = ">=2,<3"

_PACKAGE = "polster_plugin_postgres"
_DEFAULT = "POSTGRES"
_PREFIX = re.compile(r"[A-Z][A-Z0-9_]*")
_WIDTH = 100
_RENDERED = ("core", "test")
_GUIDE = PurePosixPath("docs/connectors/postgres-guide.md")
_OPTIONS = (
    Option(name="table", help="The table; the asset's name if neither it nor a query is given."),
    Option(name="query", help="A SELECT in place of a table."),
    Option(
        name="cursor",
        help="A column that only grows, such as updated_at: then each run reads only what is new.",
    ),
    Option(name="connection", help="What its variables start with: crm reads CRM_HOST, and so on."),
)
_ENV = (
    EnvVar(name="POSTGRES_HOST", help="The machine that PostgreSQL runs on.", required=True),
    EnvVar(name="POSTGRES_PORT", help="Its port.", default="5432"),
    EnvVar(name="POSTGRES_USER", help="Who reads there; SELECT is all they need.", required=True),
    EnvVar(name="POSTGRES_PASSWORD", help="Their password.", secret=True),
    EnvVar(name="POSTGRES_DATABASE", help="The database.", required=True),
    EnvVar(
        name="POSTGRES_SSLMODE",
        help="TLS: disable, prefer, require, verify-ca, or verify-full.",
        default="prefer",
    ),
)


@hookimpl
def polster_asset_templates() -> Iterable[AssetTemplate]:
    """Offer `postgres`."""
    yield AssetTemplate(
        name="postgres",
        summary="a table or a query of PostgreSQL",
        layers=("bronze",),
        options=_OPTIONS,
        requirements=("psycopg[binary]>=3.2,<4",),
        runtime=(
            RuntimePart(
                package="polster_postgres",
                requirement="polster-plugin-postgres[runtime]>=0.2,<0.3",
                source="postgres",
            ),
        ),
        env_of=_env,
        files=_files,
    )


def _env(context: AssetContext) -> Iterator[EnvVar]:
    """Yield the variables, named after the connection."""
    for variable in _ENV:
        yield replace(variable, name=variable.name.replace(_DEFAULT, _prefix(context), 1))


def _prefix(context: AssetContext) -> str:
    given = context.answers.get("connection", _DEFAULT)
    found = given.upper().replace("-", "_")
    if not _PREFIX.fullmatch(found):
        raise UsageProblem(f"--connection is a name such as crm, not {given!r}")
    return found


def _files(context: AssetContext) -> Iterator[NewFile]:
    """Yield the asset, its test, and the page about PostgreSQL."""
    from polster_core.rendering import render

    asset, table = context.asset, _table(context)
    known = {
        "asset": asset,
        "docstring": context.docstring,
        "arguments": _arguments(context, table),
        "width": _WIDTH,
        "incremental": "cursor" in context.answers,
        "needs": f"{_prefix(context)}_HOST",
    }
    core, test = (render(_PACKAGE, f"templates/{name}.py.jinja", known) for name in _RENDERED)
    yield NewFile(path=asset.core_file, text=core, note=f"reads {table or 'a query'}")
    yield NewFile(path=asset.test_file, text=test)
    guide = resources.files(_PACKAGE).joinpath("templates", "docs", _GUIDE.name)
    yield NewFile(path=_GUIDE, text=guide.read_bytes())


def _table(context: AssetContext) -> str:
    table, query = context.answers.get("table", ""), context.answers.get("query", "")
    if table and query:
        raise UsageProblem("use either --table or --query")
    return "" if query else table or context.asset.name


def _arguments(context: AssetContext, table: str) -> dict[str, str]:
    """Return what the source is made of, without what is not given."""
    prefix = _prefix(context)
    found = {
        "table": table,
        "query": context.answers.get("query", "").strip().rstrip(";"),
        "cursor": context.answers.get("cursor", ""),
        "connection": "" if prefix == _DEFAULT else prefix,
    }
    return {name: text for name, text in found.items() if text}
