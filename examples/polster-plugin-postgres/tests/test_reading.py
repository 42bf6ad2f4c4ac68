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


def test_what_cannot_be_kept_is_an_error(shop: Shop) -> None:
    room = "has values that Polars has no room for: "
    odd = {
        "date 'infinity'": f'column x (date) {room}["infinity"]; select it otherwise',
        "1e-19::numeric": f'column x (numeric) {room}["0.0000000000000000001"]; select',
        "'NaN'::numeric": f'column x (numeric) {room}["NaN"]; select it otherwise',
        "'{{1,2},{3,4}}'::int[]": f"column x (int4) {room}",
        "1 AS x, 2": "the columns are x, x; give each a name of its own",
    }
    found = shop.sources(*({"query": f"SELECT {value} AS x"} for value in odd))
    for one, said in zip(found, odd.values(), strict=True):
        assert one["error"].startswith(said)
        assert one["final"]


def test_tables_larger_than_a_batch_and_without_anything(shop: Shop) -> None:
    many, nothing, nulls = shop.sources(
        {"query": "SELECT n AS id, repeat('x', 100) AS t FROM generate_series(1, 200000) n -- !"},
        {"query": "SELECT NULL::date AS id WHERE false"},
        {"query": "SELECT NULL::date AS id FROM generate_series(1, 3);"},
    )
    assert len(many["sizes"]) == 3
    assert sum(many["sizes"]) == 200_000
    assert (nothing["columns"], nothing["sizes"]) == ({"id": ["Date"]}, [0])
    assert nulls["columns"] == {"id": ["Date", "None", "None", "None"]}


def test_each_row_is_read_once(shop: Shop, database: Database) -> None:
    """Also one that comes later with the largest value of those that are there already."""
    database.execute(_EVENTS)
    shop.add("events", "--table", "public.events", "--cursor", "changed")
    shop.read("events")
    cursors = ["id", "day", "size", "key"]
    before = shop.sources(*({"table": "events", "cursor": cursor} for cursor in cursors))
    assert [one["sizes"] for one in before] == [[4]] * 4
    assert [one["position"]["value"] for one in before] == [
        3,
        "2026-01-04",
        "0.75",
        "00000000-0000-7000-8000-000000000003",
    ]

    database.execute(
        "INSERT INTO events SELECT id, 5, changed, day, size, key FROM events WHERE number = 4"
    )
    for _ in range(2):
        shop.read("events")
    assert sorted(row["number"] for row in shop.rows("events")) == [1, 2, 3, 4, 5]
    after = shop.sources(
        *(
            {"table": "events", "cursor": cursor, "position": one["position"]}
            for cursor, one in zip(cursors, before, strict=True)
        ),
        {"table": "events", "cursor": "day", "position": "2026-01-03"},  # polster state set
    )
    assert [one["columns"]["number"][1:] for one in after[:-1]] == [["5"]] * 4
    assert after[-1]["sizes"] == [4]


_EVENTS = """
CREATE TABLE events AS SELECT least(n, 3)::int4 AS id, n AS number,
  timestamptz '2026-01-01 00:00Z' + least(n, 3) * interval '1 us' AS changed,
  date '2026-01-01' + least(n, 3) AS day,
  (least(n, 3) * 0.25)::numeric(6, 2) AS size,
  ('00000000-0000-7000-8000-00000000000' || least(n, 3))::uuid AS key
FROM generate_series(1, 4) n
"""


def test_errors_say_what_to_do(shop: Shop, database: Database) -> None:
    server = f"PostgreSQL: ada@127.0.0.1:{database.port}"
    wrong = {"A": ("PASSWORD", "no"), "B": ("DATABASE", "no"), "C": ("PORT", "1")}
    env = {
        name.replace("POSTGRES", prefix): text
        for prefix, (changed, value) in wrong.items()
        for name, text in {**shop.variables, f"POSTGRES_{changed}": value}.items()
    }
    found = shop.sources(
        *({"table": "orders", "connection": prefix} for prefix in wrong),
        {"table": "missing"},
        {"table": "orders", "cursor": "chnaged"},
        {"query": "SELECT true AS id", "cursor": "id"},
        {"query": "DELETE FROM orders RETURNING id"},
        env=env,
    )
    assert [one["error"] for one in found[:-1]] == [
        (
            f'{server}/postgres: password authentication failed for user "ada"; '
            "check A_USER, A_PASSWORD, A_DATABASE"
        ),
        f'{server}/no: database "no" does not exist; check B_USER, B_PASSWORD, B_DATABASE',
        (
            "PostgreSQL: ada@127.0.0.1:1/postgres: Connection refused; "
            "check C_HOST and C_PORT, and the network"
        ),
        (
            f'{server}/postgres: relation "missing" does not exist; '
            "check name and schema: sales.orders"
        ),
        "there is no column chnaged; the cursor is one of id, amount, changed",
        "the cursor id is bool; choose a column of whole numbers, dates or times",
    ]
    assert [one["final"] for one in found] == [True, True, False, True, True, True, True]
    assert "syntax error" in found[-1]["error"]
    shop.add("missing")
    done = shop.run("src/core/bronze_missing.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: bronze_missing: {found[3]['error']}\n"


def test_the_doctor_tries_it(shop: Shop) -> None:
    done = shop.run("-m", "polster_runtime", "doctor")
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
        (("--table", "a", "--query", "b"), "use either --table or --query"),
        (("--connection", "1st"), "--connection is a name such as crm, not '1st'"),
    ],
)
def test_bad_options(shop: Shop, options: tuple[str, ...], said: str) -> None:
    given = ["--layer", "bronze", "--name", "x", "--template", "postgres", *options]
    ran = polster(shop.root, "add-asset", *given)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {said}")
