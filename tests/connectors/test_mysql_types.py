"""MySQL: every type arrives as it was."""
# ruff: noqa: S608 - the SQL is our own

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.connectors.conftest import Shop, columns, succeed
from tests.connectors.mariadb import MariaDB


def utc(text: str) -> Any:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(text: str) -> Any:
    return datetime.fromisoformat(text)


def day(text: str) -> Any:
    return date.fromisoformat(text)


def span(hours: int, minutes: int = 0, seconds: int = 0, micro: int = 0, sign: int = 1) -> Any:
    return sign * timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)


def number(text: str) -> Any:
    return Decimal(text)


DIGITS_38 = "9" * 28 + "." + "9" * 10
DIGITS_65 = "-" + "9" * 35 + "." + "9" * 30
KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    # SQL type: type of Polars, {SQL literal: value}
    "TINYINT": ("Int64", {"-128": -128, "127": 127}),
    "TINYINT UNSIGNED": ("Int64", {"0": 0, "255": 255}),
    "BOOLEAN": ("Int64", {"TRUE": 1, "FALSE": 0}),
    "SMALLINT": ("Int64", {"-32768": -32768, "32767": 32767}),
    "SMALLINT UNSIGNED": ("Int64", {"65535": 65535, "0": 0}),
    "MEDIUMINT": ("Int64", {"-8388608": -8388608, "8388607": 8388607}),
    "MEDIUMINT UNSIGNED": ("Int64", {"16777215": 16777215, "0": 0}),
    "INT": ("Int64", {"-2147483648": -(2**31), "2147483647": 2**31 - 1}),
    "INT UNSIGNED ZEROFILL": ("Int64", {"4294967295": 2**32 - 1, "42": 42}),
    "BIGINT": ("Int64", {str(-(2**63)): -(2**63), str(2**63 - 1): 2**63 - 1}),
    "BIGINT UNSIGNED": ("UInt64", {str(2**64 - 1): 2**64 - 1, "0": 0}),
    "DECIMAL(38,10)": (
        "Decimal(precision=38, scale=10)",
        {DIGITS_38: number(DIGITS_38), f"-{DIGITS_38}": number(f"-{DIGITS_38}")},
    ),
    "DECIMAL(1,0)": ("Decimal(precision=1, scale=0)", {"9": number("9"), "-9": number("-9")}),
    "DECIMAL(5,5)": (
        "Decimal(precision=5, scale=5)",
        {"0.00001": number("0.00001"), "-0.99999": number("-0.99999")},
    ),
    "DECIMAL(20,2) UNSIGNED": (
        "Decimal(precision=20, scale=2)",
        {"999999999999999999.99": number("999999999999999999.99"), "0": number("0.00")},
    ),
    "DECIMAL(65,30)": ("String", {DIGITS_65: DIGITS_65, "0": "0." + "0" * 30}),
    "FLOAT": ("Float32", {"16777217": 16777216.0, "3.4028235e38": 3.4028234663852886e38}),
    "DOUBLE": (
        "Float64",
        {"1.7976931348623157e308": 1.7976931348623157e308, "5e-324": 5e-324},
    ),
    "BIT(1)": ("Binary", {"b'1'": b"\x01", "b'0'": b"\x00"}),
    "BIT(64)": ("Binary", {"0xFFFFFFFFFFFFFFFF": b"\xff" * 8, "1": b"\x00" * 7 + b"\x01"}),
    "DATE": ("Date", {"'9999-12-31'": day("9999-12-31"), "'0001-01-01'": day("0001-01-01")}),
    "DATETIME": (
        "Datetime(time_unit='us', time_zone=None)",
        {
            "'9999-12-31 23:59:59'": at("9999-12-31 23:59:59"),
            "'1000-01-01'": at("1000-01-01 00:00:00"),
        },
    ),
    "DATETIME(6)": (
        "Datetime(time_unit='us', time_zone=None)",
        {
            "'9999-12-31 23:59:59.999999'": at("9999-12-31 23:59:59.999999"),
            "'1969-12-31 23:59:59.000001'": at("1969-12-31 23:59:59.000001"),
        },
    ),
    "TIMESTAMP NULL": (
        "Datetime(time_unit='us', time_zone='UTC')",
        {
            "'2038-01-19 03:14:07'": utc("2038-01-19 03:14:07"),
            "'1970-01-01 00:00:01'": utc("1970-01-01 00:00:01"),
        },
    ),
    "TIMESTAMP(6) NULL": (
        "Datetime(time_unit='us', time_zone='UTC')",
        {
            "'2001-09-09 01:46:40.000001'": utc("2001-09-09 01:46:40.000001"),
            "'2038-01-19 03:14:07.999999'": utc("2038-01-19 03:14:07.999999"),
        },
    ),
    "TIME": (
        "Duration(time_unit='us')",
        {"'838:59:59'": span(838, 59, 59), "'-00:00:01'": span(0, 0, 1, sign=-1)},
    ),
    "TIME(6)": (
        "Duration(time_unit='us')",
        {
            "'-838:59:59.999999'": span(838, 59, 59, 999999, sign=-1),
            "'24:00:00.000001'": span(24, 0, 0, 1),
        },
    ),
    "YEAR": ("Int64", {"2155": 2155, "0": 0}),
    "CHAR(10)": ("String", {"'ä'": "ä", "''": ""}),
    "VARCHAR(100)": ("String", {"'a\\'\\n\\\\\"`'": "a'\n\\\"`", "'😀 e\u0301'": "😀 e\u0301"}),
    "VARCHAR(9) CHARACTER SET latin1": ("String", {"'ÿ€'": "ÿ€", "'é'": "é"}),
    "VARCHAR(9) COLLATE utf8mb4_bin": ("String", {"'漢字'": "漢字", "'NULL'": "NULL"}),
    "BINARY(4)": ("Binary", {"0x00FF": b"\x00\xff\x00\x00", "''": b"\x00" * 4}),
    "VARBINARY(10)": ("Binary", {"0x80FFFE": b"\x80\xff\xfe", "''": b""}),
    "TINYTEXT": ("String", {"'x'": "x", "' '": " "}),
    "LONGTEXT": ("String", {"REPEAT('é', 70000)": "é" * 70000, "''": ""}),
    "LONGBLOB": ("Binary", {"REPEAT(0x00, 70000)": b"\x00" * 70000, "0xC328": b"\xc3\x28"}),
    "ENUM('a','é','c')": ("String", {"'é'": "é", "1": "a"}),
    "SET('x','y','z')": ("String", {"'x,z'": "x,z", "''": ""}),
    "JSON": ("String", {'\'{"a": "😀"}\'': '{"a": "😀"}', "'[1e400]'": "[1e400]"}),
    "POINT": (
        "Binary",
        {
            "PointFromText('POINT(0 0)')": bytes([0, 0, 0, 0, 1, 1, 0, 0, 0]) + bytes(16),
            "PointFromText('POINT(0 0)', 1)": bytes([1, 0, 0, 0, 1, 1, 0, 0, 0]) + bytes(16),
        },
    ),
    "GEOMETRY": ("Binary", {"PointFromText('POINT(0 0)')": bytes(4) + b"\x01\x01" + bytes(19)}),
    "UUID": (
        "String",
        {"'123e4567-e89b-12d3-a456-426655440000'": "123e4567-e89b-12d3-a456-426655440000"},
    ),
    "INET6": ("String", {"'::1'": "::1", "'2001:db8::ff00:42:8329'": "2001:db8::ff00:42:8329"}),
}


def test_every_type_arrives_as_it_was(shop: Shop, mariadb: MariaDB) -> None:
    """Each value, and NULL, of a table that has every type with its extremes."""
    names = {kind: f"c{place} `'\"% ä" for place, kind in enumerate(KINDS)}
    quoted = [f"`{name.replace('`', '``')}` {kind}" for kind, name in names.items()]
    rows = [(list(values) * 2)[row] for row in range(2) for _, values in KINDS.values()]
    half = len(KINDS)
    mariadb.sql(
        "SET sql_mode = ''",
        f"CREATE TABLE `every kind` (id INT PRIMARY KEY, {', '.join(quoted)})",
        f"INSERT INTO `every kind` VALUES (1, {', '.join(rows[:half])})",
        f"INSERT INTO `every kind` VALUES (2, {', '.join(rows[half:])})",
        f"INSERT INTO `every kind` VALUES (3, {', '.join(['NULL'] * half)})",
    )
    shop.add_mysql("kinds", "--table", "every kind")
    succeed(shop.core("bronze_kinds"))
    found = columns(shop, "bronze_kinds")
    assert found.pop("id") == ("Int64", [1, 2, 3])
    expected = {
        names[kind]: (type_, [*(list(values.values()) * 2)[:2], None])
        for kind, (type_, values) in KINDS.items()
    }
    assert found == expected


BAD_DATES = (
    "(1, '0000-00-00', '2026-00-00 00:00:00', '0000-00-00 00:00:00')",
    "(2, '2026-02-30', '2026-01-00 10:00:00', NULL)",
    "(3, '2026-02-28', '2026-01-01 10:00:00.5', '2026-01-01 10:00:00')",
)


def test_dates_that_are_none(shop: Shop, mariadb: MariaDB) -> None:
    """An error by default; null or text where that is asked for."""
    mariadb.sql(
        "SET sql_mode = 'ALLOW_INVALID_DATES'",
        "CREATE TABLE dates (id INT PRIMARY KEY, d DATE, t DATETIME(1), z TIMESTAMP NULL)",
        f"INSERT INTO dates VALUES {', '.join(BAD_DATES)}",
    )
    shop.add_mysql("dates")
    shop.add_mysql("nulls", "--table", "dates", "--bad-dates", "null")
    shop.add_mysql("texts", "--table", "dates", "--bad-dates", "text")
    failed = shop.core("bronze_dates")
    assert failed.returncode == 1
    assert failed.stderr == (
        "error: bronze_dates: shop.dates: d holds '0000-00-00', which is no date; "
        'let bad_dates be "null" or "text"\n'
    )
    assert shop.files("bronze_dates") == []
    succeed(shop.core("bronze_nulls"))
    succeed(shop.core("bronze_texts"))
    nulls, texts = columns(shop, "bronze_nulls"), columns(shop, "bronze_texts")
    assert nulls["d"] == ("Date", [None, None, day("2026-02-28")])
    assert nulls["t"][1] == [None, None, at("2026-01-01 10:00:00.5")]
    assert nulls["z"][1] == [None, None, utc("2026-01-01 10:00:00")]
    assert texts["d"] == ("String", ["0000-00-00", "2026-02-30", "2026-02-28"])
    assert texts["t"][1][0] == "2026-00-00 00:00:00.0"
    assert texts["z"][1] == ["0000-00-00 00:00:00", None, "2026-01-01 10:00:00"]
