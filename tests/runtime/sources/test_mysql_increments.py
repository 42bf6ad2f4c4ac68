"""MySQL: no value changed, no row lost, none twice; a real MariaDB."""
# ruff: noqa: S608 - the SQL is our own

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from functools import partial
from typing import Any

import polars as pl
import pytest
from dagster import AssetCheckSeverity

from polster_runtime.assets.drift import drift
from polster_runtime.dagster.results import checked
from polster_runtime.errors import SourceError
from polster_runtime.execution.materialize import materialize
from polster_runtime.sources.mysql import MySQL
from polster_runtime.sources.mysql import marks as marks_module
from polster_runtime.sources.mysql.window import MySQLWindow
from tests.connectors.conftest import mariadb
from tests.connectors.mariadb import PASSWORD, MariaDB, broken_after
from tests.runtime.conftest import CoreFile
from tests.storage.proxies import proxy

__all__ = ["mariadb"]


@pytest.fixture(autouse=True)
def database(mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch) -> MariaDB:
    """Return the server; its database is empty, and the variables are right."""
    mariadb.empty()
    for name, value in mariadb.variables(MYSQL_PASSWORD=PASSWORD).items():
        monkeypatch.setenv(name.replace("MYSQL", "SHOP"), str(value))
    return mariadb


shop = partial(MySQL, connection="SHOP")
"""The server's own client reads MYSQL_HOST, too."""


def read(source: MySQL, position: Any = None) -> tuple[pl.DataFrame, Any]:
    """Return the rows after a position, and the new position as the next run finds it."""
    frames, found, rows = [], source.read(position), True
    reached = None
    while rows:
        try:
            frames.append(next(found).lazy().collect())
        except StopIteration as end:
            reached, rows = end.value, False
    return pl.concat(frames), json.loads(json.dumps(position if reached is None else reached))


def ids(frame: pl.DataFrame) -> list[int]:
    return sorted(frame["id"].to_list())


def test_d10_any_number_of_rows_has_the_largest_cursor(database: MariaDB) -> None:
    database.sql(
        "CREATE TABLE ties (id INT PRIMARY KEY, t INT NOT NULL)",
        "INSERT INTO ties SELECT seq, 7 FROM seq_1_to_210001",
    )
    source = shop(table="ties", cursor="t")
    rows, position = read(source)
    assert rows.height == 210_001
    database.sql("INSERT INTO ties VALUES (210002, 7)")
    rows, position = read(source, position)
    assert ids(rows) == [210_002]
    assert read(source, position)[0].height == 0


def test_d10_too_many_rows_are_refused(database: MariaDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks_module, "MAX_MARKS", 2)
    database.sql(
        "CREATE TABLE ties (id INT PRIMARY KEY, t INT NOT NULL)",
        "INSERT INTO ties VALUES (1, 7), (2, 7), (3, 7)",
    )
    with pytest.raises(SourceError, match="more than 2 rows have the largest value of the cursor"):
        read(shop(table="ties", cursor="t"))
    with pytest.raises(SourceError, match="more than 2 rows lie within the lag; shorten it"):
        read(shop(table="ties", cursor="t", lag=1))


def test_d12_integers_are_64_bits(database: MariaDB) -> None:
    kinds = ("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT")
    columns = ", ".join(f"{k.lower()}_s {k}, {k.lower()}_u {k} UNSIGNED" for k in kinds)
    database.sql(
        f"CREATE TABLE t ({columns}, y YEAR)",
        "INSERT INTO t (int_s, int_u, bigint_u) "
        "VALUES (2000000000, 3000000000, 18446744073709551615), (2000000000, 3000000000, 0), "
        "(2000000000, 0, 0)",
    )
    rows, _ = read(shop(table="t"))
    assert {str(kind) for name, kind in rows.schema.items() if name != "bigint_u"} == {"Int64"}
    assert rows.schema["bigint_u"] == pl.UInt64
    assert rows["bigint_u"].max() == 18_446_744_073_709_551_615
    assert rows["int_s"].sum() == rows["int_u"].sum() == 6_000_000_000


@pytest.mark.parametrize("password", ["pä%ss", "€uro", "日本", "plain"])
def test_d15_passwords_are_utf_8(
    password: str, database: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.sql(
        "CREATE TABLE t (id INT)",
        "DROP USER IF EXISTS umlaut",
        f"CREATE USER umlaut@'%' IDENTIFIED BY '{password}'",
        "GRANT SELECT ON shop.* TO umlaut@'%'",
    )
    monkeypatch.setenv("SHOP_USER", "umlaut")
    monkeypatch.setenv("SHOP_PASSWORD", password)
    assert read(shop(table="t"))[0].height == 0


@pytest.mark.parametrize("kind", ["ENUM('zebra','ant')", "SET('zebra','ant')"])
def test_d16_a_connection_that_breaks_loses_no_row(
    kind: str, database: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENUM and SET are ordered by number, but compared as text: then all is read again."""
    database.sql(
        f"CREATE TABLE t (kind {kind}, id INT, pad CHAR(90) DEFAULT REPEAT('x', 90), "
        "PRIMARY KEY (kind, id))",
        "INSERT INTO t (kind, id) SELECT 'zebra', seq FROM seq_1_to_20000",
        "INSERT INTO t (kind, id) SELECT 'ant', seq FROM seq_1_to_20000",
    )
    with proxy(database.port) as between:
        monkeypatch.setenv("SHOP_PORT", str(between.port))
        with (
            broken_after(between, 1_500_000, for_good=False),
            pytest.raises(SourceError, match="Lost connection"),
        ):
            read(shop(table="t"))
        rows, _ = read(shop(table="t"))
    assert rows.height == 40_000


CHANGES = {
    "a column more": "ADD COLUMN extra INT",
    "a column more in front": "ADD COLUMN extra INT NOT NULL DEFAULT 5 FIRST",
    "wider": "MODIFY n BIGINT, MODIFY id BIGINT",
    "decimal": "MODIFY n DECIMAL(20,4), MODIFY id DECIMAL(20,2)",
    "time of day": "MODIFY day DATETIME(6), MODIFY at DATETIME(6) NOT NULL",
    "text": "MODIFY word TEXT",
    "in another order": "MODIFY n INT AFTER word",
}
TABLE = "CREATE TABLE t (id INT NOT NULL, at DATE NOT NULL, n INT, day DATE, word VARCHAR(9){key})"


@pytest.mark.parametrize("lag", [0, 86_400])
@pytest.mark.parametrize("key", ["", ", PRIMARY KEY (id)"])
@pytest.mark.parametrize("change", CHANGES)
def test_d17_columns_change_and_no_row_comes_twice(
    change: str, key: str, lag: int, database: MariaDB
) -> None:
    database.sql(
        TABLE.format(key=key),
        "INSERT INTO t VALUES (1, '2026-01-01', 1, '2026-01-01', 'a'), "
        "(2, '2026-01-02', 2, NULL, 'b'), (3, '2026-01-02', NULL, '2026-01-02', NULL)",
    )
    source = shop(table="t", cursor="at", lag=lag)
    rows, position = read(source)
    assert ids(rows) == [1, 2, 3]
    database.sql(
        f"ALTER TABLE t {CHANGES[change]}",
        "INSERT INTO t (id, at, n) VALUES (4, '2026-01-02', 4), (5, '2026-01-03', 5)",
    )
    rows, position = read(source, position)
    assert ids(rows) == [4, 5]
    assert read(source, position)[0].height == 0


def test_d17_a_column_goes(database: MariaDB) -> None:
    """With a primary key that changes no mark; without one nobody could tell."""
    for name, key in {"keyed": ", PRIMARY KEY (id)", "keyless": ""}.items():
        database.sql(
            TABLE.format(key=key).replace("TABLE t", f"TABLE {name}"),
            f"INSERT INTO {name} VALUES (1, '2026-01-01', 1, NULL, 'a')",
        )
        source = shop(table=name, cursor="at")
        _, position = read(source)
        database.sql(
            f"ALTER TABLE {name} DROP COLUMN n",
            f"INSERT INTO {name} VALUES (2, '2026-01-01', NULL, 'a')",
        )
        if key:
            assert ids(read(source, position)[0]) == [2]
        else:
            with pytest.raises(SourceError, match="without the column n rows that were read"):
                read(source, position)


def test_d17_equal_rows_without_a_key_are_counted(database: MariaDB) -> None:
    database.sql("CREATE TABLE t (id INT, t INT NOT NULL)", "INSERT INTO t VALUES (1, 1), (1, 1)")
    source = shop(table="t", cursor="t")
    rows, position = read(source)
    assert ids(rows) == [1, 1]
    database.sql("INSERT INTO t VALUES (1, 1)")
    assert ids(read(source, position)[0]) == [1]


def test_positions_of_0_1_go_on(database: MariaDB) -> None:
    """Their marks are of whole rows, as the server sent them."""
    database.sql(
        "CREATE TABLE t (id INT PRIMARY KEY, t INT NOT NULL)",
        "INSERT INTO t VALUES (1, 7), (2, 7)",
    )
    row = repr((b"1", b"7")).encode()
    seen = [hashlib.blake2b(row, digest_size=8).hexdigest()]
    before = {"value": "7", "low": "7", "seen": seen}
    assert ids(read(shop(table="t", cursor="t"), before)[0]) == [2]
    assert ids(read(shop(table="t", cursor="t"), 6)[0]) == [1, 2]
    assert ids(read(shop(table="t", cursor="t"), 7)[0]) == []


@pytest.mark.parametrize("engine", ["MyISAM", "InnoDB"])
@pytest.mark.parametrize("killed", ["", "killed"])
def test_d18_every_query_has_the_upper_bound(
    engine: str, killed: str, database: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows arrive, and the connection may go, before the first batch: they come the next time."""
    database.sql(
        f"CREATE TABLE t (id INT PRIMARY KEY, t INT NOT NULL) ENGINE={engine}",
        "INSERT INTO t SELECT seq, seq FROM seq_1_to_5",
    )
    since = MySQLWindow.since

    def then_rows_arrive(*args: Any, **more: Any) -> MySQLWindow:
        found = since(*args, **more)
        database.sql("INSERT INTO t VALUES (6, 6), (7, 7)")
        if killed:
            database.sql(f"KILL {more['session'].connected.thread_id()}")
        return found

    monkeypatch.setattr(MySQLWindow, "since", then_rows_arrive)
    source = shop(table="t", cursor="t")
    rows, position = read(source)
    monkeypatch.setattr(MySQLWindow, "since", since)
    assert ids(rows) == [1, 2, 3, 4, 5]
    assert ids(read(source, position)[0]) == [6, 7]


def test_d18_an_empty_table_that_grows_meanwhile(
    database: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.sql("CREATE TABLE t (id INT PRIMARY KEY, t INT NOT NULL) ENGINE=MyISAM")
    since = MySQLWindow.since

    def then_rows_arrive(*args: Any, **more: Any) -> MySQLWindow:
        found = since(*args, **more)
        database.sql("INSERT IGNORE INTO t VALUES (1, 1)")
        return found

    monkeypatch.setattr(MySQLWindow, "since", then_rows_arrive)
    source = shop(table="t", cursor="t")
    rows, position = read(source)
    assert (rows.height, position) == (0, None)
    assert ids(read(source, position)[0]) == [1]


@pytest.mark.parametrize("kind", ["DATE", "DATETIME(3)", "DATETIME"])
def test_d21_a_cursor_in_the_future_is_not_the_end(kind: str, database: MariaDB) -> None:
    database.sql(
        f"CREATE TABLE t (id INT PRIMARY KEY, at {kind} NOT NULL)",
        "INSERT INTO t VALUES (1, '2026-01-01'), (2, '9999-12-31'), (3, '2026-01-01')",
    )
    source = shop(table="t", cursor="at")
    rows, position = read(source)
    assert ids(rows) == [1, 2, 3]
    assert position["value"].startswith("2026-01-01")
    assert position["ahead"].startswith("9999-12-31")
    told = drift(None, {}, [], 3, position)
    assert told
    assert told.future_cursor == position["ahead"]
    database.sql("INSERT INTO t VALUES (4, '2026-01-01'), (5, '2026-01-02'), (6, '9999-12-31')")
    rows, position = read(source, position)
    assert ids(rows) == [4, 5, 6]
    assert read(source, position)[0].height == 0
    database.sql("DELETE FROM t WHERE id IN (2, 6)", "INSERT INTO t VALUES (7, '2026-01-03')")
    rows, position = read(source, position)
    assert ids(rows) == [7]
    assert "ahead" not in position


def test_d21_a_run_warns_of_a_cursor_in_the_future(database: MariaDB, core_file: CoreFile) -> None:
    database.sql(
        "CREATE TABLE t (id INT PRIMARY KEY, at DATETIME NOT NULL)",
        "INSERT INTO t VALUES (1, '2026-01-01'), (2, '9999-12-31')",
    )
    module = core_file("bronze_t", SOURCE)
    assert materialize(module.extract, []).rows == 2
    database.sql("INSERT INTO t VALUES (3, '2026-01-02')")
    done = materialize(module.extract, [])
    found = checked(done)
    assert done.rows == 1
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert str(found.metadata["future_cursor"].value).startswith("9999-12-31")


SOURCE = """
    from polster_runtime.sources.mysql import MySQL

    source = MySQL(table="t", cursor="at", connection="SHOP")

    def extract(position):
        return (yield from source.read(position))
"""


def test_d21_all_rows_are_in_the_future(database: MariaDB) -> None:
    database.sql(
        "CREATE TABLE t (id INT PRIMARY KEY, at DATETIME NOT NULL)",
        "INSERT INTO t VALUES (1, '2999-01-01')",
    )
    source = shop(table="t", cursor="at")
    rows, position = read(source)
    database.sql("INSERT INTO t VALUES (2, '2026-01-01'), (3, '2998-01-01')")
    rows, position = read(source, position)
    assert ids(rows) == [2, 3]
    assert read(source, position)[0].height == 0


def test_d21_local_times_are_not_the_future(database: MariaDB) -> None:
    """A server keeps those of Samoa, 13 hours ahead of UTC."""
    database.sql(
        "CREATE TABLE t (id INT PRIMARY KEY, at DATETIME NOT NULL)",
        "INSERT INTO t VALUES (1, UTC_TIMESTAMP() + INTERVAL 13 HOUR)",
    )
    assert "ahead" not in read(shop(table="t", cursor="at"))[1]


def test_values_stay_what_they_are(database: MariaDB) -> None:
    database.sql(
        "CREATE TABLE t (id INT ZEROFILL, at DATE, moment DATETIME(6))",
        "INSERT INTO t VALUES (5, '2026-02-28', '2026-02-28 23:59:59.999999')",
    )
    (row,) = read(shop(table="t"))[0].rows()
    assert row == (5, date(2026, 2, 28), datetime.fromisoformat("2026-02-28 23:59:59.999999"))
