"""Sessions with MySQL: settings, connecting, the raw rows of queries, and what errors mean."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
import pymysql  # type: ignore[import-untyped]

from polster_runtime.config.settings import load
from polster_runtime.errors import SourceError
from polster_runtime.sources.mysql.columns import BadDates, MySQLColumn, MySQLRows

START_SNAPSHOT = (
    "SET SESSION time_zone = '+00:00', net_write_timeout = 600",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
MAX_BATCH_ROWS, MAX_BATCH_BYTES = 50_000, 16_000_000
"""How much is held in memory at once, at most: rows, and bytes of them."""
FINAL_ERRORS = {1044, 1045, 1049, 1054, 1060, 1064, 1142, 1143, 1146, 1370}
"""Numbers of errors that another try would not help."""
NULL_MARKER, LENGTH_WIDTHS = 251, {252: 2, 253: 3, 254: 8}
"""In a row: what stands for NULL, and the width of a length that takes more than a byte."""


@dataclass(frozen=True, kw_only=True)
class MySQLSettings:
    """One field a variable: MYSQL_HOST, or CRM_HOST where the connection is called CRM."""

    host: str
    port: int = 3306
    user: str
    password: str = field(default="", repr=False)
    database: str
    tls: Literal["off", "preferred", "required", "verify-ca", "verify"] = "preferred"
    tls_ca: str = ""
    read_timeout: float = 600.0
    """Seconds that the server may be silent."""

    @property
    def place(self) -> str:
        """Where it is, as messages say it."""
        return f"MySQL at {self.host}:{self.port}"

    def tls_arguments(self) -> dict[str, Any]:
        """What PyMySQL wants to know. Raises SourceError for a file that is no certificate."""
        if self.tls in {"off", "preferred"}:
            return {"ssl_disabled": self.tls == "off"}
        try:
            context = ssl.create_default_context(cafile=self.tls_ca or None)
        except OSError as error:
            why = f"{self.place}: cannot read the certificates in {self.tls_ca} ({error})"
            raise SourceError(why, final=True) from None
        context.check_hostname = self.tls == "verify"
        context.verify_mode = ssl.CERT_NONE if self.tls == "required" else ssl.CERT_REQUIRED
        return {"ssl": context}


def connect_mysql(connection: str = "MYSQL", **options: Any) -> "pymysql.Connection[Any]":
    """Connect as the variables of a connection say; `options` are PyMySQL's.

    Raises SettingsError for variables that lack, and SourceError.
    """
    settings = load(MySQLSettings, prefix=connection)
    try:
        return pymysql.connect(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=settings.password.encode(),  # as text it would be sent as Latin-1
            database=settings.database,
            charset="utf8mb4",
            connect_timeout=10,
            read_timeout=settings.read_timeout,
            **settings.tls_arguments(),
            **options,
        )
    except (pymysql.Error, OSError, RuntimeError) as error:
        raise _explained(error, settings, connection) from None


class MySQLSession:
    """A connection that sees one snapshot of the database; it can be opened again."""

    def __init__(self, connection: str, what: str) -> None:
        self.connection = connection
        self.settings = load(MySQLSettings, prefix=connection)
        self.name = f"{self.settings.database}.{what}"
        """What is read, as messages say it."""
        self.batch_size = 1_000
        self.opened: pymysql.Connection[Any] | None = None

    def open(self) -> None:
        """Connect, or do so again, and begin a snapshot. Raises SourceError."""
        self.close()
        self.opened = connect_mysql(
            self.connection,
            conv=dict(pymysql.converters.encoders),  # no decoders: values stay as the server sends
            use_unicode=False,  # them, and Polars is faster at making text of bytes
            cursorclass=pymysql.cursors.SSCursor,
        )
        with self.errors():
            for statement in START_SNAPSHOT:
                list(self.rows(statement))

    def close(self) -> None:
        """Go away; what the server has not sent yet is not read first."""
        if self.opened is not None and self.opened.open:
            self.opened.close()

    @property
    def connected(self) -> "pymysql.Connection[Any]":
        """The connection."""
        if self.opened is None:
            raise RuntimeError("open() comes first")
        return self.opened

    def rows(self, query: str) -> Iterator[MySQLRows]:
        """The rows of a query, some at a time. Raises pymysql.Error."""
        reader = self.connected.cursor()
        try:
            reader.execute(query)
            # PyMySQL's own does the same with a call a value: a fifth of all the time.
            reader._result._read_row_from_packet = _unpacked_row
            while rows := reader.fetchmany(self.batch_size):
                yield list(rows)
        finally:
            # Or both would wait for rows that nobody wants any more, or nobody sends.
            reader.connection = None
            if reader._result is not None:
                reader._result.unbuffered_active = False

    def fit_batches(self, frame: pl.DataFrame) -> None:
        """Ask for more rows next time, but for fewer where they are as large as in a frame."""
        row_bytes = max(frame.estimated_size() // max(frame.height, 1), 1)
        fitting = int(MAX_BATCH_BYTES // row_bytes)
        self.batch_size = max(1, min(MAX_BATCH_ROWS, fitting, self.batch_size * 10))

    def one(self, query: str) -> tuple[Any, ...]:
        """The only row of a query, as text. Raises SourceError."""
        with self.errors():
            (row,) = [row for rows in self.rows(query) for row in rows]
        return tuple(None if value is None else value.decode() for value in row)

    def columns(self, relation: str, bad_dates: BadDates) -> list[MySQLColumn]:
        """The columns of a table or a query. Raises SourceError."""
        with self.errors():
            reader = self.connected.cursor()
            reader.execute(f"SELECT * FROM {relation} LIMIT 0")
            # PyMySQL says nowhere else which columns are unsigned, and which hold bytes.
            fields = reader._result.fields
            reader.close()
        return [MySQLColumn.of(one, bad_dates) for one in fields]

    def primary_key(self, table: str) -> list[str]:
        """The columns of the primary key of a table. Raises SourceError."""
        with self.errors():
            query = f"SHOW KEYS FROM {table} WHERE Key_name = 'PRIMARY'"
            return [row[4].decode() for rows in self.rows(query) for row in rows]

    def with_parameters(self, query: str, parameters: Sequence[object]) -> str:
        """A query with values in place of each %s. Raises SourceError."""
        try:
            return str(self.connected.cursor().mogrify(query, tuple(parameters)))
        except (TypeError, ValueError, pymysql.Error) as error:
            why = f"the query and its parameters do not match: {error}; write %% for a % sign"
            raise SourceError(why, final=True) from None

    def literal(self, column: MySQLColumn, value: Any) -> str:
        """A value as it came, as SQL has it."""
        plain = value.decode() if column.raw is pl.String and isinstance(value, bytes) else value
        return str(plain) if column.is_number else str(self.connected.escape(plain))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what goes wrong with the server into a SourceError."""
        try:
            yield
        except pymysql.Error as error:
            raise self.explained(error) from None

    def explained(self, error: Exception) -> SourceError:
        """What went wrong, in a sentence."""
        return _explained(error, self.settings, self.connection, self.name)


def server_version(opened: "pymysql.Connection[Any]") -> str:
    """The version of a server and how it encrypts; the connection is closed."""
    with closing(opened), opened.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        cipher = (cursor.fetchone() or ("", ""))[1]
        return f"{opened.get_server_info()}, {cipher or 'not encrypted'}"


def _unpacked_row(packet: Any) -> tuple[bytes | None, ...]:
    """The values of a row: each behind its length in bytes, or behind 251 for NULL."""
    row: list[bytes | None] = []
    data, at, add = packet.get_all_data(), 0, row.append
    end = len(data)
    while at < end:
        size = data[at]
        at += 1
        if size == NULL_MARKER:
            add(None)
            continue
        if size > NULL_MARKER:
            width = LENGTH_WIDTHS[size]
            size = int.from_bytes(data[at : at + width], "little")
            at += width
        stop = at + size
        add(data[at:stop])
        at = stop
    return tuple(row)


def _explained(
    error: Exception, settings: MySQLSettings, connection: str, what: str = ""
) -> SourceError:
    """What went wrong, in a sentence without a secret."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    said = {
        1044: f"{settings.user} may not use {settings.database}; grant SELECT on it",
        1045: f"{settings.user} was refused; check {connection}_USER and {connection}_PASSWORD",
        1049: f"there is no database {settings.database}; check {connection}_DATABASE",
        1142: f"{settings.user} may not read {what}; grant SELECT on it",
        1146: f"there is no table {what}; check its name",
    }.get(number) or _explained_cause(error, connection, what)
    return SourceError(f"{settings.place}: {said}", final=number in FINAL_ERRORS)


def _explained_cause(error: Exception, connection: str, what: str) -> str:
    cause = getattr(error, "original_exception", error)
    text = " ".join(str(error.args[-1] if error.args else error).split())
    if isinstance(cause, ssl.SSLError):
        return f"its certificate was refused ({text}); check {connection}_TLS_CA"
    if isinstance(cause, socket.gaierror):
        return f"unknown host; check {connection}_HOST"
    if isinstance(cause, ConnectionRefusedError):
        return f"connection refused; check {connection}_HOST and {connection}_PORT"
    return f"{what}: {text}" if what else text
