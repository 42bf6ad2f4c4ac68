"""What is read from PostgreSQL: every type, everything once, and errors of one line."""

from __future__ import annotations

import pytest
from database import Database
from shop import Shop

from polster_core.testing import polster

# A column for each type: how it is declared, a value, and what becomes of both.
KINDS = {
    "small": ("int2", "-32768", "Int16", "-32768"),
    "whole": ("int4", "2147483647", "Int32", "2147483647"),
    "large": ("int8", "9223372036854775807", "Int64", "9223372036854775807"),
    "single": ("real", "0.1", "Float32", "0.10000000149011612"),
    "double_": ("float8", "1e-300", "Float64", "1e-300"),
    "endless": ("float8", "'-Infinity'", "Float64", "-inf"),
    "flag": ("bool", "true", "Boolean", "True"),
    "money_": ("numeric(12,2)", "0.10", "Decimal(precision=38, scale=2)", "Decimal('0.10')"),
    "digits": (
        "numeric",
        "12345678901234567890.123456789012345678",
        "Decimal(precision=38, scale=18)",
        "Decimal('12345678901234567890.123456789012345678')",
    ),
    "words": (
        "text",
        "E'Zoë 🥐\\n\"q\",\\t\\r\\n\\\\x'",
        "String",
        "'Zoë 🥐\\n\"q\",\\t\\r\\n\\\\x'",
    ),
    "empty": ("varchar(9)", "''", "String", "''"),
    "padded": ("char(4)", "'ab'", "String", "'ab  '"),
    "bytes_": ("bytea", "'\\x00ff22'", "Binary", "b'\\x00\\xff\"'"),
    "day": ("date", "'0044-03-15'", "Date", "datetime.date(44, 3, 15)"),
    "hour": ("time", "'23:59:59.999999'", "Time", "datetime.time(23, 59, 59, 999999)"),
    "local": (
        "timestamp",
        "'2026-01-02 03:04:05.678901'",
        "Datetime(time_unit='us', time_zone=None)",
        "datetime.datetime(2026, 1, 2, 3, 4, 5, 678901)",
    ),
    "moment": (
        "timestamptz",
        "'2026-01-02 03:04:05+02'",
        "Datetime(time_unit='us', time_zone='UTC')",
        "datetime.datetime(2026, 1, 2, 1, 4, 5, tzinfo=zoneinfo.ZoneInfo(key='UTC'))",
    ),
    "span": ("interval", "'1 mon 2 days 3.5 sec'", "String", "'P1M2DT3.5S'"),
    "document": ("json", "'{\"a\": 1.10}'", "String", "'{\"a\": 1.10}'"),
    "key": (
        "uuid",
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
        "String",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    ),
    "mood": ("mood", "'so so'", "String", "'so so'"),
    "numbers": ("int[]", "'{1,NULL,3}'", "List(Int32)", "[1, None, 3]"),
    "flags": ("bool[]", "'{t,f}'", "List(Boolean)", "[True, False]"),
    "days": ("date[]", "'{2026-01-02}'", "List(Date)", "[datetime.date(2026, 1, 2)]"),
    "texts": ("text[]", """'{"a,b",NULL,"\\""}'""", "List(String)", "['a,b', None, '\"']"),
    "other": ("inet", "'10.0.0.1/8'", "String", "'10.0.0.1/8'"),
}


def test_every_type_is_kept(shop: Shop, database: Database) -> None:
    declared = ", ".join(f'"{name}" {kind}' for name, (kind, *_) in KINDS.items())
    values = ", ".join(value for _, value, *_ in KINDS.values())
    database.execute(
        f"CREATE TYPE mood AS ENUM ('so so'); CREATE TABLE kinds (id int, {declared});"
        f"INSERT INTO kinds VALUES (1, {values}); INSERT INTO kinds VALUES (2)"
    )
    shop.add("kinds")
    shop.read("kinds")
    found = shop.columns("kinds")
    found.pop("id")
    expected = {name: [kind, value, "None"] for name, (_, _, kind, value) in KINDS.items()}
    assert found == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("date 'infinity'", 'column x (date) has values that Polars has no room for: ["infinity"]'),
        ("1e-19::numeric", 'column x (numeric) has values that Polars has no room for: ["0.00'),
        ("'NaN'::numeric", 'column x (numeric) has values that Polars has no room for: ["NaN"]'),
        ("'{{1,2},{3,4}}'::int[]", "column x (int4) has values that Polars has no room for: "),
        ("1 AS x, 2", "the columns are x, x; give each a name of its own"),
    ],
)
def test_what_cannot_be_kept_is_an_error(shop: Shop, value: str, said: str) -> None:
    shop.add("odd", "--query", f"SELECT {value} AS x")
    assert shop.failure("odd").startswith(said)


def test_a_table_larger_than_a_batch_and_an_empty_one(shop: Shop) -> None:
    text = "repeat('x', 100)"
    shop.add(
        "many", "--query", f"SELECT n AS id, {text} AS t FROM generate_series(1, 200000) n -- !"
    )
    shop.read("many")
    found = shop.run("-c", "from core.storage import read; print(read('bronze_many').collect())")
    assert found.stdout.startswith("shape: (200_000, 2)")
    shop.add("nothing", "--query", "SELECT NULL::date AS id WHERE false")
    shop.read("nothing")
    assert shop.columns("nothing") == {"id": ["Date"]}
    shop.add("nulls", "--query", "SELECT NULL::date AS id FROM generate_series(1, 3);")
    shop.read("nulls")
    assert shop.columns("nulls") == {"id": ["Date", "None", "None", "None"]}


@pytest.mark.parametrize("cursor", ["id", "changed", "day", "size", "key"])
def test_each_row_is_read_once(shop: Shop, database: Database, cursor: str) -> None:
    """Also one that comes later with the largest value of those that are there already."""
    name = f"events_{cursor}"
    key = "('00000000-0000-7000-8000-00000000000' || least(n, 3))::uuid"
    database.execute(f"""
        CREATE TABLE {name} AS SELECT least(n, 3)::int4 AS id, n AS number,
        timestamptz '2026-01-01 00:00Z' + least(n, 3) * interval '1 us' AS changed,
        date '2026-01-01' + least(n, 3) AS day, least(n, 3) * 0.25 AS size, {key} AS key
        FROM generate_series(1, 4) n;
    """)
    shop.add("events", "--table", f"public.{name}", "--cursor", cursor)
    shop.read("events")
    database.execute(f"""
        INSERT INTO {name} SELECT id, 5, changed, day, size, key FROM {name} WHERE number = 4
    """)
    shop.read("events")
    shop.read("events")
    assert sorted(row["number"] for row in shop.rows("events")) == [1, 2, 3, 4, 5]
    assert len(list((shop.root / "data/bronze/events").glob("*.parquet"))) >= 2


def test_errors_say_what_to_do(shop: Shop, database: Database) -> None:
    server = f"PostgreSQL: ada@127.0.0.1:{database.port}"
    check = "check POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DATABASE"
    assert shop.failure("orders", {"POSTGRES_PASSWORD": "no"}) == (
        f'{server}/postgres: password authentication failed for user "ada"; {check}'
    )
    assert shop.failure("orders", {"POSTGRES_DATABASE": "no"}) == (
        f'{server}/no: database "no" does not exist; {check}'
    )
    away = shop.failure("orders", {"POSTGRES_PORT": "1"})
    assert away == (
        "PostgreSQL: ada@127.0.0.1:1/postgres: Connection refused; "
        "check POSTGRES_HOST and POSTGRES_PORT, and the network"
    )
    shop.add("missing")
    assert shop.failure("missing") == (
        f'{server}/postgres: relation "missing" does not exist; check name and schema: sales.orders'
    )
    shop.add("flagged", "--query", "SELECT true AS id", "--cursor", "id")
    assert shop.failure("flagged") == (
        "the cursor id is bool; choose a column of whole numbers, dates or times"
    )
    shop.add("typo", "--table", "orders", "--cursor", "chnaged")
    assert shop.failure("typo") == (
        "there is no column chnaged; the cursor is one of id, amount, changed"
    )


def test_nothing_can_be_changed_there(shop: Shop) -> None:
    shop.add("sly", "--query", "SELECT nextval('sly')")
    shop.add("slyer", "--query", "DELETE FROM orders RETURNING id")
    assert "syntax error" in shop.failure("slyer")


def test_the_doctor_tries_it(shop: Shop) -> None:
    done = shop.run("-m", "core.runtime.doctor")
    assert "ok       source orders: connect: PostgreSQL " in done.stdout
    assert "ok       source orders: read: 3 columns of orders\n" in done.stdout


def test_connections_and_tests_of_the_project(shop: Shop) -> None:
    shop.add("crm", "--table", "orders", "--connection", "crm")
    assert "CRM_HOST" in (shop.root / ".env.example").read_text("utf-8")
    done = shop.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_bronze_crm.py")
    assert done.returncode == 0, done.stdout
    env = {name.replace("POSTGRES", "CRM"): text for name, text in shop.variables.items()}
    done = shop.run("src/core/bronze_crm.py", env=env)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--table", "a", "--query", "b"), "give --table or --query, not both"),
        (("--connection", "1st"), "--connection is a name such as crm, not '1st'"),
    ],
)
def test_bad_options(shop: Shop, options: tuple[str, ...], said: str) -> None:
    given = ["--layer", "bronze", "--name", "x", "--template", "postgres", *options]
    ran = polster(shop.root, "add-asset", *given)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {said}")
