"""Names of the packages that every project gets, with what those need in their turn.

A project of such a name would depend on itself: no installer can have two packages of one name.
"""

REQUIRED = frozenset(
    """
    alembic annotated-types antlr4-python3-runtime anyio apprise ast-serialize backoff certifi
    charset-normalizer click colorama coloredlogs dagster dagster-graphql dagster-pipes
    dagster-postgres dagster-shared dagster-webserver dataframely docstring-parser filelock fsspec
    gql graphene graphql-core graphql-relay grpcio grpcio-health-checking h11 hatchling httptools
    humanfriendly idna iniconfig jinja2 librt mako markdown markdown-it-py markupsafe mdurl
    multidict mypy mypy-extensions numpy oauthlib packaging pathlib-abc pathspec platformdirs
    pluggy polars polars-runtime-32 propcache protobuf psutil psycopg2-binary pydantic
    pydantic-core pygments pyreadline3 pytest python-dateutil python-dotenv pytz pywin32 pyyaml
    requests requests-oauthlib requests-toolbelt rich ruff six sqlalchemy starlette structlog
    tabulate tomli tomlkit toposort tqdm trove-classifiers typing-extensions typing-inspection
    tzdata universal-pathlib urllib3 uvicorn uvloop watchdog watchfiles websockets yarl
    """.split()  # noqa: SIM905 - a table of a hundred lines says no more
)
"""Normalized (PEP 503). What the newest releases need besides is found by a test."""
