"""A connection to PostgreSQL: opened, set up, and its errors in one line."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from polster_postgres.settings import PostgresSettings
from polster_runtime.config.settings import load
from polster_runtime.errors import SourceError

CONNECT_SECONDS = 10
SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
"""How PostgreSQL writes values: so that nothing is lost, whatever the server's settings are."""
FINAL = (psycopg.ProgrammingError, psycopg.NotSupportedError)
HOPELESS = ("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf")
"""What the server says to those whom it will not let in at the next try either."""
Link = psycopg.Connection[Any]


@contextmanager
def connected(prefix: str) -> Iterator[Link]:
    """Open a transaction that reads, and sees one state of the data throughout.

    `prefix` is what its variables start with. Raises SettingsError for those that are not set, and
    SourceError.
    """
    known = load(PostgresSettings, prefix=prefix)
    try:
        with closing(_open(known)) as link:
            yield link
    except psycopg.Error as error:
        raise _explained(error, known, prefix) from None


def _open(known: PostgresSettings) -> Link:
    link = psycopg.connect(
        host=known.host,
        port=known.port,
        user=known.user,
        password=known.password or None,
        dbname=known.database,
        sslmode=known.sslmode,
        connect_timeout=CONNECT_SECONDS,
        client_encoding="UTF8",
        application_name="polster",
        prepare_threshold=None,  # connections may be shared, by PgBouncer
    )
    link.read_only = True
    link.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    for name, value in SESSION.items():
        link.execute("SELECT set_config(%s, %s, true)", (name, value))
    return link


def _explained(error: psycopg.Error, known: PostgresSettings, prefix: str) -> SourceError:
    """What went wrong, in one line, and what to do."""
    said = " ".join((error.diag.message_primary or str(error)).split())
    if error.sqlstate == "42P01":
        return SourceError(f"{known}: {said}; check name and schema: sales.orders", final=True)
    if isinstance(error, FINAL):
        return SourceError(f"{known}: {said}; check the table or the query", final=True)
    if any(word in said for word in HOPELESS):
        reason = said.rpartition("FATAL: ")[2].strip()
        names = ", ".join(f"{prefix}_{name}" for name in ("USER", "PASSWORD", "DATABASE"))
        return SourceError(f"{known}: {reason}; check {names}", final=True)
    reason = said.rpartition("failed: ")[2].partition(" Is the server running")[0]
    return SourceError(f"{known}: {reason}; check {prefix}_HOST and {prefix}_PORT, and the network")
