"""MySQL: queries, increments and every fault, in projects that only Polster has touched."""
# ruff: noqa: S608 - the SQL is our own

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.connectors.conftest import MakeShop, Shop, columns, succeed
from tests.connectors.mariadb import PASSWORD, MariaDB, broken_after
from tests.connectors.programs import program, text_of
from tests.generated.projects import told
from tests.storage.proxies import proxy


def test_queries_with_parameters(shop: Shop, mariadb: MariaDB) -> None:
    """And with a percent sign, a comment at the end, a FLOAT; from a connection of its own."""
    mariadb.sql(
        "CREATE TABLE items (id INT PRIMARY KEY, product VARCHAR(20), price FLOAT)",
        "INSERT INTO items VALUES (1, 'a%b', 16777217), (2, 'ab', 1.1), (3, 'a%b', 0.1)",
    )
    shop.env(**{name.replace("MYSQL", "CRM"): v for name, v in mariadb.variables().items()})
    shop.env(MYSQL_HOST="nowhere.invalid")
    query = "SELECT product, price, id FROM items WHERE product LIKE 'a\\%%' -- all of them"
    shop.add_mysql("lines", "--query", query, "--connection", "crm")
    succeed(shop.core("bronze_lines"))
    assert columns(shop, "bronze_lines")["price"][1] == [16777216.0, 0.10000000149011612]
    by_hand = text_of("bronze_lines")
    shop.write({"src/core/bronze_lines.py": by_hand})
    succeed(shop.core("bronze_lines"))
    assert columns(shop, "bronze_lines")["id"] == ("Int64", [2])
    shop.write({"src/core/bronze_lines.py": by_hand.replace("%%", "%")})
    assert shop.core("bronze_lines").stderr == (
        "error: bronze_lines: the query and its parameters do not match: unsupported format "
        "character 'b' (0x62) at index 54; write %% for a % sign\n"
    )


NOT_TO_BE_READ: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...], str]] = {
    # variables, options of the asset, what is said
    "password": (
        {"MYSQL_PASSWORD": "wrong"},
        (),
        "MySQL at 127.0.0.1:{port}: reader was refused; check MYSQL_USER and MYSQL_PASSWORD",
    ),
    "host": (
        {"MYSQL_HOST": "nowhere.invalid"},
        (),
        "MySQL at nowhere.invalid:{port}: unknown host; check MYSQL_HOST",
    ),
    "port": (
        {"MYSQL_PORT": 1},
        (),
        "MySQL at 127.0.0.1:1: connection refused; check MYSQL_HOST and MYSQL_PORT",
    ),
    "text for a port": (
        {"MYSQL_PORT": "x"},
        (),
        "MYSQL_PORT must be a whole number, not 'x'",
    ),
    "nothing set": (
        {"MYSQL_HOST": "", "MYSQL_USER": "", "MYSQL_DATABASE": ""},
        (),
        "MYSQL_HOST, MYSQL_USER and MYSQL_DATABASE are not set; put what is missing into .env",
    ),
    "database": (
        {"MYSQL_DATABASE": "nothing"},
        (),
        "MySQL at 127.0.0.1:{port}: reader may not use nothing; grant SELECT on it",
    ),
    "table": (
        {},
        ("--table", "nothing"),
        "MySQL at 127.0.0.1:{port}: there is no table shop.nothing; check its name",
    ),
    "query": (
        {},
        ("--query", "SELEC 1"),
        "MySQL at 127.0.0.1:{port}: shop.(query): You have an error in your SQL syntax; ",
    ),
    "no such cursor": (
        {},
        ("--table", "poor", "--cursor", "updated_at"),
        "shop.poor: there is no column updated_at to be the cursor; there are id, name, at",
    ),
    "a cursor that does not grow": (
        {},
        ("--table", "poor", "--cursor", "name"),
        "shop.poor: name cannot be the cursor; choose a column of whole numbers or times",
    ),
    "a cursor with nulls": (
        {},
        ("--table", "poor", "--cursor", "at"),
        "shop.poor: rows without a at would never be read; choose a cursor that is never NULL",
    ),
    "certificate": (
        {"MYSQL_TLS": "verify", "MYSQL_TLS_CA": "/nowhere.pem"},
        (),
        "MySQL at 127.0.0.1:{port}: cannot read the certificates in /nowhere.pem",
    ),
}

POOR = [("--table", "poor"), *(options for _, options, _ in NOT_TO_BE_READ.values() if options)]


def attempts(shop: Shop, tried: Sequence[tuple[Mapping[str, Any], str]]) -> list[str]:
    """Run assets with variables, one by one in one process; return what is said of each failure."""
    asked = [
        json.dumps({"asset": asset, "env": {name: str(v) for name, v in given.items()}})
        for given, asset in tried
    ]
    done = succeed(shop.python(program("attempts"), *asked))
    return [json.loads(line).partition("\n")[0] for line in done.stdout.splitlines()]


def test_faults_are_told_in_one_line(shop: Shop, mariadb: MariaDB) -> None:
    mariadb.sql(
        "CREATE TABLE poor (id INT PRIMARY KEY, name TEXT, at DATETIME)",
        "INSERT INTO poor VALUES (1, 'a', NULL)",
    )
    for place, options in enumerate(POOR):
        shop.add_mysql(f"poor{place}", *options)
    right = mariadb.variables(MYSQL_PASSWORD=PASSWORD)
    faults = NOT_TO_BE_READ.values()
    tried = [
        ({**right, **given}, f"bronze_poor{POOR.index(o or POOR[0])}") for given, o, _ in faults
    ]
    said = attempts(shop, tried)
    for (_, _, expected), found in zip(faults, said, strict=True):
        assert found.startswith(expected.format(port=mariadb.port))
        assert "\n" not in found
        assert PASSWORD not in found
        assert "wrong" not in found
    assert not [asset for _, asset in tried if shop.files(asset)]
    assert shop.staged() == []
    # And in a process of its own, as it is shown.
    shop.env(MYSQL_PORT=1)
    done = shop.core("bronze_poor0")
    assert done.returncode == 1
    assert done.stderr == (
        "error: bronze_poor0: MySQL at 127.0.0.1:1: connection refused; check MYSQL_HOST and "
        "MYSQL_PORT\n"
    )


def test_dagster_does_not_try_again_what_cannot_be_mended(shop: Shop, mariadb: MariaDB) -> None:
    shop.env(**mariadb.variables(MYSQL_PASSWORD="wrong"))  # noqa: S106 - it is
    shop.add_mysql("customers")
    patient = {"SOURCE_RETRIES": "5", "SOURCE_RETRY_SECONDS": "600"}
    found = shop.json("--asset", "customers", code=1, env=patient)
    (asset,) = found["assets"]
    assert "reader was refused; check MYSQL_USER" in asset["error"]
    assert found["seconds"] < 300


def grown(mariadb: MariaDB, table: str, first: int, last: int) -> None:
    """Insert rows that all share a moment but for the last ones."""
    rows = f"SELECT seq, seq DIV 10 FROM seq_{first}_to_{last}"
    mariadb.sql(f"INSERT INTO {table} (id, t) {rows}")


def ids(shop: Shop, asset: str) -> list[int]:
    """Return all ids, sorted."""
    found: list[int] = columns(shop, asset)["id"][1]
    return sorted(found)


def test_only_what_is_new_is_read(shop: Shop, mariadb: MariaDB) -> None:
    """Ties at the largest value, late rows within the lag, a full refresh, a source set back."""
    mariadb.sql("CREATE TABLE growing (id INT PRIMARY KEY, t INT NOT NULL, KEY (t))")
    grown(mariadb, "growing", 1, 25)
    shop.add_mysql("growing", "--cursor", "t", "--lag", "3")
    assert succeed(shop.core("bronze_growing")).stdout.split()[1] == "25"
    assert shop.position("bronze_growing")["value"] == "2"
    grown(mariadb, "growing", 26, 45)  # 26 to 29 share their t with 25
    mariadb.sql("INSERT INTO growing VALUES (100, 0), (101, -1)")  # late: within the lag, and
    mariadb.sql("INSERT INTO growing VALUES (102, -2)")  # beyond it
    assert succeed(shop.core("bronze_growing")).stdout.split()[1] == "22"
    assert succeed(shop.core("bronze_growing")).stdout.split()[1] == "0"
    assert ids(shop, "bronze_growing") == [*range(1, 46), 100, 101]
    assert len(shop.files("bronze_growing")) == 3
    mariadb.sql("DELETE FROM growing WHERE t > -1")
    done = shop.core("bronze_growing")
    assert done.returncode == 1
    assert done.stderr == (
        "error: bronze_growing: shop.growing: the largest t is -1, but the last run read up to 4; "
        "if that is right, start over with --full-refresh, or go on from elsewhere with  "
        "polster state set\n"
    )
    succeed(shop.python("src/core/bronze_growing.py", "--full-refresh"))
    assert ids(shop, "bronze_growing") == [101, 102]


def large(mariadb: MariaDB, name: str, rows: int, key: str = "PRIMARY KEY") -> None:
    """Make a table of many rows."""
    mariadb.sql(
        f"CREATE TABLE {name} (id BIGINT UNSIGNED {key}, name VARCHAR(40), price DECIMAL(12,2), "
        "d DOUBLE, at DATETIME(6), n INT, word VARCHAR(20), note TEXT)",
        f"INSERT INTO {name} SELECT seq, CONCAT('name ', seq), seq / 100, seq * 1.1, "
        "'2026-01-01' + INTERVAL seq SECOND, seq % 1000, CONCAT('w', seq % 77), REPEAT('x', 30) "
        f"FROM seq_1_to_{rows}",
    )


def test_a_lost_connection(shop: Shop, mariadb: MariaDB) -> None:
    """With a primary key it goes on where it was; without, nothing is published."""
    large(mariadb, "keyed", 60_000)
    large(mariadb, "keyless", 60_000, key="")
    shop.add_mysql("keyed")
    shop.add_mysql("keyless")
    for asset in ("bronze_keyed", "bronze_keyless"):
        with proxy(mariadb.port) as between:
            shop.env(MYSQL_PORT=between.port)
            with broken_after(between, 2_500_000, for_good=False):
                done = shop.core(asset)
        if asset == "bronze_keyed":
            assert done.returncode == 0, told(done)
            assert "connection lost, going on where it was" in done.stderr
            assert ids(shop, asset) == list(range(1, 60_001))
        else:
            assert done.returncode == 1
            assert done.stderr.count("\n") == 1, done.stderr
            assert "Lost connection" in done.stderr
            assert shop.files(asset) == []
    module = shop.root / "src/polster_runtime/sources/mysql/source.py"
    module.write_text(module.read_text("utf-8").replace("(0.5, 1.0, 2.0, 4.0)", "(0.1,)"), "utf-8")
    before = shop.files("bronze_keyed")
    with proxy(mariadb.port) as between, broken_after(between, 2_500_000, for_good=True):
        done = shop.core("bronze_keyed", env={"MYSQL_PORT": str(between.port)})
    assert done.returncode == 1
    assert "error: bronze_keyed: MySQL at 127.0.0.1:" in done.stderr.splitlines()[-1]
    assert (shop.files("bronze_keyed"), shop.staged()) == (before, [])


def test_encryption(shop: Shop, mariadb: MariaDB) -> None:
    """A certificate is looked at where that is asked for, and so is the name in it."""
    mariadb.sql("CREATE TABLE safe (id INT PRIMARY KEY)")
    shop.add_mysql("safe")
    good, strange = str(mariadb.authority), str(mariadb.folder / "server.pem")
    outcomes = {
        ("localhost", "verify", good): True,
        ("127.0.0.1", "verify", good): False,  # another name than that of the certificate
        ("127.0.0.1", "verify-ca", good): True,
        ("localhost", "verify", strange): False,
        ("127.0.0.1", "required", ""): True,
    }
    tried = [
        mariadb.variables(
            MYSQL_PASSWORD=PASSWORD, MYSQL_HOST=host, MYSQL_TLS=tls, MYSQL_TLS_CA=authority
        )
        for host, tls, authority in outcomes
    ]
    said = attempts(shop, [(given, "bronze_safe") for given in tried])
    for how, found in zip(outcomes, said, strict=True):
        if outcomes[how]:
            assert found.startswith("published "), how
        else:
            assert "its certificate was refused" in found, how
            assert found.endswith("; check MYSQL_TLS_CA")


def test_the_doctor_tries_each_source(shop: Shop, mariadb: MariaDB) -> None:
    mariadb.sql("CREATE TABLE ill (id INT PRIMARY KEY)")
    shop.add_mysql("ill")
    shop.add_mysql("gone")
    shop.env(**{name.replace("MYSQL", "CRM"): v for name, v in mariadb.variables().items()})
    shop.env(CRM_PASSWORD="unheard-of", MYSQL_TLS="required")  # noqa: S106 - to be found nowhere
    shop.add_mysql("secret", "--connection", "crm")
    done = shop.python("-m", "polster_runtime", "doctor")
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if not line.startswith("warning")]
    port = mariadb.port
    assert (
        lines[
            lines.index(
                f"error    source gone: read: MySQL at 127.0.0.1:{port}: there is no "
                "table shop.gone"
            )
            + 1
        ]
        == f"{'':<9}check its name"
    )
    assert f"ok       source gone: settings: MySQL at 127.0.0.1:{port}" in lines
    assert "ok       source ill: read: shop.ill: 1 columns" in lines
    (connected,) = [line for line in lines if line.startswith("ok       source ill: connect: ")]
    assert connected.endswith(("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"))
    assert "skipped  source secret: read" in lines
    assert (
        f"error    source secret: connect: MySQL at 127.0.0.1:{port}: reader was refused" in lines
    )
    assert PASSWORD not in done.stdout
    assert "unheard-of" not in done.stdout


def test_memory_stays_flat(shop: Shop, mariadb: MariaDB) -> None:
    """Half a million rows of 100 bytes; bench/mysql.py reads four million."""
    large(mariadb, "many", 500_000)
    shop.add_mysql("many")
    done = succeed(shop.python(program("peak_memory"), "src/core/bronze_many.py"))
    assert done.stdout.split()[1] == "500,000"
    assert int(done.stdout.split()[-1]) < 400_000


def test_bad_options(project: MakeShop) -> None:
    """Nothing is written for options that make no sense."""
    shop = project()
    for args, said in {
        ("--table", "a", "--query", "b"): "use either --table or --query",
        ("--lag", "5m"): "--lag needs --cursor",
        ("--lag", "soon", "--cursor", "a"): "--lag is a time such as 15m, 2h or 1d, or a number",
        ("--connection", "9"): "--connection is a name such as crm, not '9'",
        ("--bad-dates", "x"): "--bad-dates is none of error, null, text: x",
    }.items():
        bronze = ("--layer", "bronze", "--name", "a", "--template", "mysql")
        done = shop.polster("add-asset", *bronze, *args)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {said}")
        assert not (shop.root / "src/polster_runtime/sources/mysql").exists()
