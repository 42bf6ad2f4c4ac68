"""Where Dagster keeps its history: PostgreSQL where DAGSTER_POSTGRES_URL says so, else SQLite.

.dagster/dagster.yaml names the class `History`. So one configuration serves the terminal, the UI,
the daemon and the processes of runs, on a laptop and on a server. No password is in it, nor in what
Dagster hands from process to process: each looks into its own environment.
"""

import os
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from polster_runtime.config.environment import variables
from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster import private
from polster_runtime.dagster.event_log import KeptEngineEventLog
from polster_runtime.errors import HistoryError, SettingsError

POSTGRES_URL = "DAGSTER_POSTGRES_URL"
EXAMPLE = "postgresql://user:password@host:5432/database"
DRIVER = "postgresql+psycopg2"
"""What dagster-postgres is written for; SQLAlchemy takes a bare postgresql:// for another one."""
CONNECT_SECONDS = 10
LET_GO = "30s"
"""For how long a transaction may be idle: one of a machine that was cut off keeps its locks."""
CONNECTIONS = 4
"""How many are kept for events: what the threads of a run use at once most of the time.

With the one that Dagster's webserver keeps, a run of 99 assets connected 165 times, and took 1.8
times as long as with SQLite; with four 1.2 times, 1.5 times where it is the first of its process.
"""
POOL = {"pool_recycle": 3600, "max_overflow": 20}

if TYPE_CHECKING:
    from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
else:
    DagsterSqliteStorage = private.find("dagster._core.storage.sqlite_storage.DagsterSqliteStorage")
    if DagsterSqliteStorage is None:
        raise ImportError(
            "this Dagster has another SQLite storage: delete the storage lines in "
            ".dagster/dagster.yaml, its own class reads the same files"
        )


class History(DagsterSqliteStorage):
    """The files of Dagster's own SQLite storage, with Polster's event log; or a PostgreSQL."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options: the environment says all."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Any:
        """What Dagster uses. Raises HistoryError and sqlalchemy.exc.DBAPIError."""
        if url := postgres_url():
            return _postgres(url, inst_data)
        return cls(os.environ.get("DAGSTER_HOME") or str(dagster_home()), inst_data)

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        super().__init__(base_dir, inst_data)
        # Where Dagster has another name for it, its own event log is used: slower.
        self._event_log_storage = KeptEngineEventLog.of(os.path.join(base_dir, "history", "runs"))
        for storage in (self._run_storage, self._schedule_storage):
            _keep_engine(storage)


def _keep_engine(storage: Any) -> None:
    """Let a storage compile its SQL once: the stock class makes an engine for each statement.

    Half of what an idle daemon costs is that. Where Dagster has changed it stays as it is.
    """
    if url := getattr(storage, "_conn_string", None):
        storage.connect = create_engine(url, poolclass=NullPool).begin


def postgres_url() -> URL | None:
    """What DAGSTER_POSTGRES_URL says; None where it is not set. Raises HistoryError."""
    try:
        text = variables().get(POSTGRES_URL, "").strip()
    except SettingsError:  # a process of Dagster's that runs outside of the project
        text = os.environ.get(POSTGRES_URL, "").strip()
    if not text:
        return None
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise HistoryError(f"{POSTGRES_URL} is no URL; write it as {EXAMPLE}") from None
    if url.drivername.partition("+")[0] not in {"postgres", "postgresql"} or not url.database:
        raise HistoryError(f"{POSTGRES_URL} names no database of PostgreSQL; write it as {EXAMPLE}")
    if "@" in (url.host or ""):
        raise HistoryError(
            f"{POSTGRES_URL} has a password with an @ in it; write that as %40, a % as %25"
        )
    return url.set(drivername=DRIVER)


def place(url: URL) -> str:
    """A database as a person names it, without the password."""
    port = f":{url.port}" if url.port else ""
    user = f"{url.username}@" if url.username else ""
    return f"PostgreSQL {user}{url.host or 'localhost'}{port}/{url.database}"


def reach(url: URL, query: str = "SELECT 1") -> Any:
    """Connect at once or not at all; return the first value that a query gives."""
    timeout = {"connect_timeout": CONNECT_SECONDS}
    with create_engine(url, poolclass=NullPool, connect_args=timeout).connect() as connection:
        return connection.exec_driver_sql(query).scalar()


def _postgres(url: URL, inst_data: Any) -> Any:
    try:
        from dagster_postgres import DagsterPostgresStorage
    except ModuleNotFoundError:
        raise HistoryError(
            f"{POSTGRES_URL} is set, but dagster-postgres is not installed; "
            'python -m pip install -e ".[postgres]"'
        ) from None
    reach(url)  # Dagster would try six times, and then show its own code
    storage = DagsterPostgresStorage(url.render_as_string(hide_password=False), inst_data=inst_data)
    for part in (storage.run_storage, storage.schedule_storage):
        _keep_connections(part, 1)
    _keep_connections(storage.event_log_storage, CONNECTIONS)
    return storage


def _keep_connections(part: Any, number: int) -> None:
    engine = private.engine_of(part)
    if engine is None:  # then one, as Dagster's webserver does
        part.optimize_for_webserver(statement_timeout=0, **POOL)
        return
    kept = create_engine(engine.url, isolation_level="AUTOCOMMIT", pool_size=number, **POOL)
    event.listen(kept, "connect", _let_go)
    private.use_engine(part, kept)


def _let_go(connection: Any, _: Any) -> None:
    """Let PostgreSQL end what a process that is gone has begun: steps elsewhere wait for it."""
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{LET_GO}'")
