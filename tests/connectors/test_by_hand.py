"""docs/connectors: connectors.py stands alone, and the examples of the guides run as pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.connectors.conftest import MakeShop, Shop, succeed
from tests.connectors.http_server import Answer, Api, pages, serving
from tests.connectors.mariadb import MariaDB
from tests.connectors.programs import program
from tests.connectors.ssh_servers import sshd

PASSWORD = "pä%s€s"  # noqa: S105 - that of a user of this test
FILE = re.compile(r"^`(src/[\w/.]+)`:\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
REGISTERED = re.compile(r"^```python\n(from orchestration.assets.bronze.*)\n```", re.MULTILINE)
NAMES = {"connect_mysql", "fetch_mysql_data", "fetch_api_data"} | {
    "download_sftp_files",
    "load_sftp_data",
}


@pytest.fixture
def by_hand(project: MakeShop) -> Shop:
    """Return a project with connectors.py copied as told."""
    shop = project()
    copied = (shop.root / "docs/connectors/connectors.py.template").read_text("utf-8")
    shop.write({"src/core/connectors.py": copied})
    return shop


def test_it_can_be_read(by_hand: Shop) -> None:
    text = (by_hand.root / "src/core/connectors.py").read_text("utf-8")
    assert len(text.splitlines()) <= 250
    assert "polster_runtime" not in text
    loaded = replace(by_hand, cold=True).document(program("modules"), "core.connectors")
    assert not {"pymysql", "requests", "asyncssh"} & set(loaded)
    guides = {path.name for path in (by_hand.root / "docs/connectors").iterdir()}
    assert guides == {
        *(f"{name}-guide.md" for name in ("mysql", "api", "sftp")),
        *("integration.md", "connectors.py.template"),
    }
    told = (by_hand.root / "docs/connectors/integration.md").read_text("utf-8")
    assert all(name in told for name in NAMES)


def test_examples_of_the_guides_are_python(by_hand: Shop) -> None:
    for guide in (by_hand.root / "docs/connectors").glob("*.md"):
        blocks = guide.read_text("utf-8").split("```python\n")[1:]
        for block in blocks:
            compile(block.partition("\n```")[0], guide.name, "exec")
        assert blocks


def test_the_asset_of_the_guide_runs_as_pasted(by_hand: Shop, mariadb: MariaDB) -> None:
    shop, guide = by_hand, by_hand.root / "docs/connectors/integration.md"
    files = dict(FILE.findall(guide.read_text("utf-8")))
    assert len(files) == 2
    shop.write(files)
    (line,) = REGISTERED.findall(guide.read_text("utf-8"))
    layer = shop.root / "src/orchestration/assets/bronze/__init__.py"
    layer.write_text(f"{line}\n\n__all__ = ['run_bronze_orders']\n", "utf-8")
    mariadb.empty()
    mariadb.sql(
        "CREATE TABLE orders (id INT UNSIGNED, total DECIMAL(12,2), at TIMESTAMP NULL)",
        "SET time_zone = '+00:00'",
        "INSERT INTO orders VALUES (1, 999.99, NULL), (4294967295, 1000.01, '2026-03-29 02:30:00')",
    )
    shop.env(**mariadb.variables())
    succeed(shop.core("bronze_orders"))
    row = {"id": 4294967295, "total": "1000.01", "at": "2026-03-29 02:30:00+00:00"}
    assert shop.rows("bronze_orders") == [row]
    found = shop.json("--asset", "orders")
    assert found["assets"][0]["rows"] == 1
    assert len(shop.files("bronze_orders")) == 2


def test_values_of_mysql_are_exact_or_refused(by_hand: Shop, mariadb: MariaDB) -> None:
    mariadb.empty()
    mariadb.sql(
        "CREATE TABLE t (big BIGINT UNSIGNED, d DECIMAL(38,10), f FLOAT, at DATETIME(6), "
        "long_ TIME(2), bits BLOB, word ENUM('a','b'))",
        "INSERT INTO t VALUES (18446744073709551615, 1234567890123456789012345678.0123456789, 1.5, "
        "'2026-01-02 03:04:05.123456', '-12:00:00.50', x'ff00', 'b')",
        "CREATE TABLE zero (d DATE)",
        "SET sql_mode = ''",
        "INSERT INTO zero VALUES ('0000-00-00')",
        "DROP USER IF EXISTS umlaut",
        f"CREATE USER umlaut@'%' IDENTIFIED BY '{PASSWORD}'",
        "GRANT SELECT ON shop.* TO umlaut@'%'",
    )
    said = by_hand.document(program("by_hand_mysql"), str(mariadb.port), "umlaut", PASSWORD)
    assert said["SELECT * FROM t"] == "f is a FLOAT, rounded by the server: select  f * 1e0"
    assert said["SELECT * FROM zero"].startswith("d holds '0000-00-00', which is not a date")
    assert said["SELECT big, d, f * 1e0 AS f, at, long_, bits, word FROM t"] == [
        ["UInt64", "18446744073709551615"],
        ["Decimal(precision=38, scale=10)", "1234567890123456789012345678.0123456789"],
        ["Float64", "1.5"],
        ["Datetime(time_unit='us', time_zone=None)", "2026-01-02 03:04:05.123456"],
        ["Duration(time_unit='us')", "-1 day, 11:59:59.500000"],
        ["Binary", "b'\\xff\\x00'"],
        ["String", "b"],
    ]


@pytest.fixture
def api() -> Iterator[Api]:
    """Run an API."""
    with serving() as server:
        yield server


def test_an_api_is_read_whole_or_refused(by_hand: Shop, api: Api) -> None:
    rows = [{"id": number, "price": number or 0.5} for number in range(5)]
    for kind in ("link", "next-url", "cursor", "page", "offset"):
        api.routes[f"/{kind}"] = pages(kind, rows)
    api.routes["/circle"] = lambda _: Answer(200, {"data": [{"a": 1}], "next": "/circle?x"})
    api.routes["/types"] = lambda _: Answer(200, [{"a": 2**53 + 1}, {"a": 0.5}])
    asked = {
        "/link": "",
        "/next-url": "data",
        "/cursor": "items",
        "/page": "results",
        "/offset": "records",
        "/circle": "data",
        "/types": "",
        "/gone?key=secret": "",
    }
    words = [word for pair in asked.items() for word in pair]
    said = by_hand.document(program("by_hand_api"), api.url(""), *words)
    assert said["/link"] == said["/next-url"] == rows
    assert said["/cursor"].endswith("/cursor: 2 records, but next_cursor is 1")
    assert said["/page"].endswith("/page: 2 records, but total_pages is 3")
    assert said["/offset"].endswith("/offset: 2 records, but total is 5")
    assert said["/circle"].endswith("/circle: the pages lead in a circle")
    assert said["/types"].endswith("/types: record 1: a has several types")
    assert said["/gone?key=secret"].endswith("/gone: 404 Not Found")


def test_files_of_a_server_arrive_as_they_are(by_hand: Shop, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "1.csv").write_text("zip,n\n01234,1e3\n", "utf-8")
    (out / "2.csv").write_text("zip,more\n5,x\n", "utf-8")
    (out / "3.json").write_text('[{"zip": "6"}]', "utf-8")
    (out / "4.csv.part").write_text("zip\nunfinished\n", "utf-8")
    with sshd(tmp_path / "sshd") as server:
        given = {name.removeprefix("SFTP_"): str(v) for name, v in server.variables().items()}
        found = by_hand.document(
            program("by_hand_sftp"),
            *(f"{out}/*", str(tmp_path / "here")),
            *(given[name] for name in ("PORT", "USER", "KEY_FILE", "KNOWN_HOSTS")),
        )
    assert found == [
        {"zip": "01234", "n": "1e3", "more": None},
        {"zip": "5", "n": None, "more": "x"},
        {"zip": "6", "n": None, "more": None},
    ]
