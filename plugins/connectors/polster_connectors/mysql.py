"""The template `mysql`: a table or a query of MySQL or MariaDB."""

from __future__ import annotations

from collections.abc import Iterator

from polster_connectors import shared
from polster_core.errors import UsageProblem
from polster_core.types import AssetContext, AssetTemplate, EnvVar, NewFile, Option

_DEFAULT = "MYSQL"
_ENV = (
    EnvVar(name="MYSQL_HOST", help="The machine that MySQL or MariaDB runs on.", required=True),
    EnvVar(name="MYSQL_PORT", help="Its port.", default="3306"),
    EnvVar(name="MYSQL_USER", help="Who reads there; SELECT is all that they need.", required=True),
    EnvVar(name="MYSQL_PASSWORD", help="Their password.", secret=True),
    EnvVar(name="MYSQL_DATABASE", help="The database.", required=True),
    EnvVar(
        name="MYSQL_TLS",
        help="off; preferred; required (encrypted); verify-ca (by a trusted certificate); "
        "verify (that of this very host).",
        default="preferred",
    ),
    EnvVar(
        name="MYSQL_TLS_CA",
        help="The file of the certificates to trust; those of this machine if it is empty.",
    ),
    EnvVar(name="MYSQL_READ_TIMEOUT", help="How many seconds it may be silent.", default="600"),
)
_OPTIONS = (
    Option(name="table", help="The table; the asset's name if neither it nor a query is given."),
    Option(name="query", help="A SELECT in place of a table."),
    shared.CURSOR,
    shared.LAG,
    Option(
        name="bad-dates",
        help="What becomes of 0000-00-00 and the like: an error, null, or columns of text.",
        choices=("error", "null", "text"),
        default="error",
    ),
    shared.CONNECTION,
)


def template() -> AssetTemplate:
    """Return the template."""
    return AssetTemplate(
        name="mysql",
        summary="a table or a query of MySQL or MariaDB",
        layers=("bronze",),
        options=_OPTIONS,
        requirements=("pymysql[rsa]>=1.1,<2",),
        runtime=(shared.part("mysql"),),
        env_of=shared.variables(_DEFAULT, _ENV),
        files=_files,
    )


def _files(context: AssetContext) -> Iterator[NewFile]:
    from polster_core.rendering.python_source import quoted

    answers = context.answers
    table, query = answers.get("table"), answers.get("query")
    if table and query:
        raise UsageProblem("use either --table or --query")
    if not query:
        table = table or context.asset.name
    what = {"table": table, "query": query, "cursor": answers.get("cursor")}
    arguments = [f"{name}={quoted(text)}" for name, text in what.items() if text]
    lag, start = shared.lag(context), shared.prefix(context, _DEFAULT)
    if lag and not what["cursor"]:
        raise UsageProblem("--lag needs --cursor")
    arguments += [f"lag={lag}"] if lag else []
    if answers["bad-dates"] != "error":
        arguments.append(f'bad_dates="{answers["bad-dates"]}"')
    if start != _DEFAULT:
        arguments.append(f'connection="{start}"')
    return shared.files(
        context,
        "mysql",
        "MySQL",
        arguments,
        incremental=bool(what["cursor"]),
        needs=f"{start}_HOST",
        note=f"reads {table or 'a query'}",
    )
