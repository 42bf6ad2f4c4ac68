"""Dagster's SQLite event log, but with one SQLAlchemy engine for a file, not one for an event.

The stock class builds an engine, compiles its SQL again and looks up its tables for every event
that it stores: more than half of the time of a run of small assets. The files are the same;
.dagster/dagster.yaml says which class reads them.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from polster_runtime.dagster import private

STOCK = "dagster._core.storage.event_log.SqliteEventLogStorage"

if TYPE_CHECKING:
    from dagster._core.storage.event_log import SqliteEventLogStorage
    from dagster._serdes import deserialize_value
else:
    SqliteEventLogStorage = private.find(STOCK)
    deserialize_value = private.find("dagster._serdes.deserialize_value")
    if SqliteEventLogStorage is None:
        raise ImportError(
            "this Dagster has another event log: delete the storage lines in "
            ".dagster/dagster.yaml, its own class reads the same files"
        )

BUSY_TIMEOUT_SECONDS = 60
FILES_KEPT = 16
"""Files whose connections are kept: that of all runs, and those of the latest runs."""
LOG_BYTES = 1_048_576
"""What is left of a write-ahead log once its content is in its file."""


class KeptEngineEventLog(SqliteEventLogStorage):
    """Reads and writes exactly the files of SqliteEventLogStorage."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options: the files are where Dagster puts them by default."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Any:
        """What Dagster uses where dagster.yaml names this class alone, as it did before 0.2."""
        return cls.of(os.path.join(os.environ["DAGSTER_HOME"], "history", "runs"), inst_data)

    @classmethod
    def of(cls, base_dir: str, inst_data: Any = None) -> SqliteEventLogStorage:
        """The event log in a folder: this class, or the stock one where that has changed."""
        unchanged = private.has_methods(STOCK) and deserialize_value is not None
        return (cls if unchanged else SqliteEventLogStorage)(base_dir, inst_data)

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._urls: dict[str | None, str] = {}
        self._seen: set[str] = set()
        self._engines = _Engines()
        self._held = _Held(self._engines.of)
        self._writing = threading.RLock()
        super().__init__(base_dir, inst_data)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event: one transaction for each of the files that it goes to."""
        # SQLite lets one writer in at a time, and lets the others sleep: a lock wakes them at once.
        with self._writing, self._held.together():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store several events in the same way."""
        with self._writing, self._held.together():
            for one in events:
                super().store_event(one)

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run, and the file that only they are in."""
        super().delete_events(run_id)
        self._engines.close(self._urls.pop(run_id, ""))
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):  # another process reads it, on Windows
                Path(f"{self.path_for_shard(run_id)}{suffix}").unlink(missing_ok=True)

    def dispose(self) -> None:
        """Leave nothing in the write-ahead logs, and close the files."""
        super().dispose()
        self._engines.close_all()

    def run_connection(self, run_id: str | None = None) -> Any:
        """A connection to the events of one run."""
        return self._kept(run_id, super().run_connection)

    def index_connection(self) -> Any:
        """A connection to what is kept across runs."""
        stock = super().index_connection
        return self._kept("index", lambda _: stock())

    def has_table(self, table_name: str) -> bool:
        """Whether a table is there: once it is, it stays."""
        stock = super().has_table
        return self._stays(f"table {table_name}", lambda: stock(table_name))

    def has_secondary_index(self, name: str) -> bool:
        """Whether a migration of the data has been made: once it is, it stays."""
        stock = super().has_secondary_index
        return self._stays(f"index {name}", lambda: stock(name))

    def _get_latest_materialization_records(
        self, raw_asset_rows: Iterable[Any]
    ) -> Mapping[dg.AssetKey, Any]:
        """The latest record of each asset, from its row; the events are asked only without one.

        The stock method asks them always. Where Dagster no longer calls this, nothing is lost.
        """
        rows = list(raw_asset_rows)
        found = {}
        for row in rows:
            key, text = dg.AssetKey.from_db_string(row["asset_key"]), row["last_materialization"]
            record = _record(text) if text and not row["asset_details"] else None
            if key is None or record is None:
                return super()._get_latest_materialization_records(rows)
            found[key] = record
        return found

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        # A shortcut only: where Dagster no longer asks this, nothing is lost.
        stock = super()._has_asset_key_col_on_connection
        return self._stays(f"column {column_name}", lambda: stock(conn, column_name))

    def _stays(self, fact: str, look: Callable[[], bool]) -> bool:
        if fact not in self._seen and look():
            self._seen.add(fact)
        return fact in self._seen

    def _kept(
        self, shard: str | None, stock: Callable[[Any], AbstractContextManager[Any]]
    ) -> AbstractContextManager[Connection]:
        url = self._urls.get(shard)
        # A file that another process has deleted must not come to be again, without its tables.
        there = url in self._engines or Path(self.path_for_shard(shard or "")).exists()
        if url is None or not there:
            with stock(shard):  # creates the file and its tables
                url = self._urls[shard] = self.conn_string_for_shard(shard or "")
        return self._held.connection(url)


class _Held(threading.local):
    """The connections of a thread whose transactions end together."""

    def __init__(self, engine_of: Callable[[str], Engine]) -> None:
        self.engine_of = engine_of
        self.stack: ExitStack | None = None
        self.connections: dict[str, Connection] = {}

    @contextmanager
    def together(self) -> Iterator[None]:
        if self.stack is not None:
            yield
            return
        try:
            with ExitStack() as self.stack:
                yield
        finally:
            self.stack, self.connections = None, {}

    def connection(self, url: str) -> AbstractContextManager[Connection]:
        if self.stack is None:
            return self.engine_of(url).begin()
        if url not in self.connections:
            self.connections[url] = self.stack.enter_context(self.engine_of(url).begin())
        return nullcontext(self.connections[url])


class _Engines:
    """An engine for each file that was asked for lately, whatever the thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Engine] = OrderedDict()

    def __contains__(self, url: object) -> bool:
        return url in self._kept

    def of(self, url: str) -> Engine:
        with self._lock:
            if url not in self._kept:
                self._kept[url] = _engine(url)
            self._kept.move_to_end(url)
            oldest = next(iter(self._kept)) if len(self._kept) > FILES_KEPT else url
            found = self._kept[url]
        if oldest != url:
            self.close(oldest)
        return found

    def close(self, url: str) -> None:
        with self._lock:
            engine = self._kept.pop(url, None)
        if engine is not None:
            _close(engine)

    def close_all(self) -> None:
        for url in list(self._kept):
            self.close(url)


@lru_cache(maxsize=256)
def _record(text: str) -> dg.EventLogRecord | None:
    """What the row of an asset says of its last materialization; None in an older form."""
    found = deserialize_value(text)
    return found if isinstance(found, dg.EventLogRecord) else None


def _engine(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        max_overflow=-1,
        pool_reset_on_return=None,
    )

    @event.listens_for(engine, "connect")
    def trust_the_write_ahead_log(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")

    return engine


def _close(engine: Engine) -> None:
    """Close a file; SQLite empties its log only where no other process has it open."""
    log = Path(f"{engine.url.database}-wal")
    with suppress(DBAPIError, OSError):
        if log.stat().st_size:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA busy_timeout=1000")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
