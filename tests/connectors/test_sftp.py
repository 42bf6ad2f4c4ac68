"""The template `sftp`: files of a real OpenSSH server, from the command to the rows."""

from __future__ import annotations

import gzip
import json
import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.connectors.conftest import MakeShop, Shop, maker
from tests.connectors.programs import program
from tests.connectors.ssh_servers import Sshd, sshd
from tests.generated.projects import told
from tests.generated.sources import workbook

HOUR = 3600
PARQUET = """
import polars as pl, sys
pl.DataFrame({"id": [12], "name": ["Zoë"], "amount": [1.5]}).write_parquet(sys.argv[1])
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def put(file: Path, text: str | bytes, age: float = HOUR) -> Path:
    """Write a file of some age."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(file, (time.time() - age,) * 2)
    return file


def run(runs: Shop, *args: str, **env: object) -> list[dict[str, Any]]:
    """Run the asset, and return its rows in order."""
    done = runs.direct("bronze_orders", *args, **env)
    assert done.returncode == 0, told(done)
    return sorted(runs.rows("bronze_orders"), key=lambda row: str(row["id"]))


def ids(rows: list[dict[str, Any]]) -> list[Any]:
    """Return the ids, which are text in CSV."""
    return sorted(int(row["id"]) for row in rows)


def fails(runs: Shop, *args: str) -> str:
    """Run the asset, which fails with one line and publishes nothing; return the line."""
    before = runs.files("bronze_orders")
    done = runs.direct("bronze_orders", *args)
    assert done.returncode == 1, told(done)
    assert runs.files("bronze_orders") == before
    (line,) = done.stderr.splitlines()
    return line.removeprefix("error: bronze_orders: ")


class Reading(Protocol):
    """Make a project with an asset that reads a pattern."""

    def __call__(self, pattern: Path, *options: str) -> Shop:
        """Give the options of `add-asset`."""


@pytest.fixture
def reading(project: MakeShop, server: Sshd) -> Reading:
    def make(pattern: Path, *options: str) -> Shop:
        shop = project()
        shop.add_asset("orders", "--template", "sftp", "--pattern", str(pattern), *options)
        shop.env(**server.variables())
        return shop

    return make


def test_only_what_is_new_or_has_changed_is_read(reading: Reading, out: Path) -> None:
    runs = reading(out / "orders-*.csv", "--file-column", "_file")
    first = put(out / "orders-1.csv", "id,name\n1,Ada\n2,Zoë\n")
    put(out / "other.csv", "id,name\n77,no\n")
    put(out / "orders-7.csv.part", "id,name\n77,no\n")
    assert run(runs) == [
        {"id": "1", "name": "Ada", "_file": str(first)},
        {"id": "2", "name": "Zoë", "_file": str(first)},
    ]
    put(out / "orders-2.csv", "id,name\n3,Eve\n", age=9 * HOUR)  # older than what was read
    assert ids(run(runs)) == [1, 2, 3]
    changed = time.time() - HOUR + 5
    put(first, "id,name\n4,Ada\n5,Zoë\n")
    os.utime(first, (changed, changed))
    assert ids(run(runs)) == [1, 2, 3, 4, 5]
    for file in out.glob("orders-*"):
        file.rename(file.with_name("gone"))
    put(out / "orders-3.csv", "id,name\n6,Ann\n")
    assert ids(run(runs)) == [1, 2, 3, 4, 5, 6]
    (out / "gone").unlink(missing_ok=True)
    put(first, "id,name\n4,Ada\n5,Zoë\n")
    os.utime(first, (changed, changed))
    assert ids(run(runs)) == [1, 2, 3, 4, 5, 6]  # it was away, and is what it was
    assert ids(run(runs, "--full-refresh")) == [4, 5, 6]
    assert runs.staged() == []
    assert runs.position("bronze_orders")["files"] == 2


def test_d24_a_file_of_the_future_is_read(reading: Reading, out: Path) -> None:
    runs = reading(out / "*.csv")
    put(out / "1.csv", "id\n1\n")
    put(out / "2.csv", "id\n2\n", age=-72 * HOUR)
    assert ids(run(runs, SFTP_MIN_AGE_SECONDS=60)) == [1, 2]
    put(out / "3.csv", "id\n3\n")
    assert ids(run(runs, SFTP_MIN_AGE_SECONDS=60)) == [1, 2, 3]


def test_a_file_that_is_still_being_written_waits(reading: Reading, out: Path) -> None:
    runs = reading(out / "*.csv")
    put(out / "old.csv", "id\n1\n")
    young = put(out / "young.csv", "id\n2\n", age=0)
    done = runs.direct("bronze_orders", SFTP_MIN_AGE_SECONDS=60)
    assert done.returncode == 0, told(done)
    assert "left for the next run" in done.stderr
    assert str(young) in done.stderr
    assert ids(run(runs)) == [1, 2]


def test_all_files_each_time(reading: Reading, out: Path) -> None:
    runs = reading(out / "**" / "*.csv", "--files", "all")
    (out / "2026" / "11").mkdir(parents=True)
    put(out / "1.csv", "id\n1\n")
    put(out / "2026" / "11" / "2.csv", "id\n2\n")
    (out / "link.csv").symlink_to(out / "1.csv")
    (out / "folder.csv").mkdir()
    assert ids(run(runs)) == [1, 1, 2]
    (out / "1.csv").unlink()
    (out / "link.csv").unlink()
    assert ids(run(runs)) == [2]


def test_a_pattern_that_matches_nothing(reading: Reading, out: Path) -> None:
    runs = reading(out / "*.csv")
    assert fails(runs).startswith(f"no file matches {out}/*.csv; check it, or let that be")
    put(out / "1.csv", "id\n1\n")
    assert ids(run(runs)) == [1]
    (out / "1.csv").unlink()
    assert fails(runs).startswith(f"no file matches {out}/*.csv")
    edit(runs, '.csv"', '.csv", if_empty="empty"')
    assert ids(run(runs)) == [1]
    assert "give SFTP(..., schema=" in fails(runs, "--full-refresh")
    edit(runs, '"empty"', '"empty", schema={"id": pl.Int16}')
    edit(runs, "from polster_runtime import", "import polars as pl\n\nfrom polster_runtime import")
    assert run(runs, "--full-refresh") == []


def edit(shop: Shop, old: str, new: str) -> None:
    """Change the asset, as a person does."""
    core = shop.root / "src/core/bronze_orders.py"
    text = core.read_text("utf-8")
    assert old in text
    core.write_text(text.replace(old, new), "utf-8")


def test_a_position_that_a_person_has_set(reading: Reading, out: Path) -> None:
    runs = reading(out / "*.csv")
    put(out / "1.csv", "id\n1\n")
    assert ids(run(runs)) == [1]
    put(out / "2.csv", "id\n2\n", age=3 * HOUR)
    put(out / "3.csv", "id\n3\n", age=HOUR / 2)
    since = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    done = runs.python("-m", "polster_runtime", "state", "set", "orders", since)
    assert done.returncode == 0, told(done)
    assert ids(run(runs)) == [1, 1, 3]
    assert ids(run(runs)) == [1, 1, 3]


def test_every_format(reading: Reading, out: Path) -> None:
    csv, line = "id,name,amount\n{},Zoë,1.5\n", '{{"id": {}, "name": "Zoë", "amount": 1.5}}\n'
    put(out / "1.csv", csv.format(1))
    put(out / "2.CSV.gz", gzip.compress(csv.format(2).encode()))
    put(out / "3.csv.zst", zstd(csv.format(3)))
    put(out / "4.json", f"[\n{line.format(4)}]")
    put(out / "5.json", line.format(5))
    put(out / "6.ndjson", line.format(6))
    put(out / "7.jsonl.gz", gzip.compress(line.format(7).encode()))
    put(out / "8.ndjson.zst", zstd(line.format(8)))
    put(out / "9.json.gz", gzip.compress(f"[{line.format(9)}]".encode()))
    with zipfile.ZipFile(out / "10.zip", "w") as archive:
        archive.writestr("10.csv", csv.format(10))
        archive.writestr("inner/11.json", f"[{line.format(11)}]")
        archive.writestr("inner/16.json", f"[{line.format(16)}]")
    put(out / "empty.csv", "")
    put(out / "14 [ü]'s.csv", csv.format(14))
    put(out / os.fsdecode(b"15 \xe9.csv"), csv.format(15))
    workbook(out / "13.xlsx", "Orders", [["name"], ["Zoë"]])
    runs = reading(out / "*", "--file-column", "_file", "--sheet", "Orders")
    runs.python("-c", PARQUET, out / "12.parquet")
    rows = run(runs, "--full-refresh")
    files = {row["_file"].removeprefix(f"{out}/"): row["id"] and int(row["id"]) for row in rows}
    assert files == {
        **{file.name: int(file.name.split(".")[0]) for file in out.glob("[1-9].*")},
        "10.zip/10.csv": 10,
        "10.zip/inner/11.json": 11,
        "10.zip/inner/16.json": 16,
        "12.parquet": 12,
        "13.xlsx": None,
        "14 [ü]'s.csv": 14,
        "15 ?.csv": 15,
    }
    assert {row["name"] for row in rows} == {"Zoë"}
    assert {row["amount"] for row in rows if row["id"]} == {"1.5"}, "text in CSV, so text in all"


def zstd(text: str) -> bytes:
    """Return a short text as the zstd format holds it, uncompressed."""
    data = text.encode()
    head = bytes.fromhex("28b52ffd20") + bytes([len(data)])
    return head + (len(data) << 3 | 1).to_bytes(3, "little") + data


CASES: Mapping[str, tuple[Mapping[str, str | bytes], Mapping[str, Any], Any]] = {
    "text as it is": (
        {
            "a.csv": "i,f,b,zip,big,none,text\n1,1,true,007,1,,x\n-2,,false,12,2,,\n",
            "b.csv": "i,f,b,zip,big,none,text\n,1.5,,12,12345678901234567890,,1\n",
            "header.csv": "i,f,b,zip,big,none,text\n",
        },
        {},
        [
            {
                "i": "String",
                "f": "String",
                "b": "String",
                "zip": "String",
                "big": "String",
                "none": "String",
                "text": "String",
            },
            [
                ["-2", None, "false", "12", "2", None, None],
                ["1", "1", "true", "007", "1", None, "x"],
                [None, "1.5", None, "12", "12345678901234567890", None, "1"],
            ],
        ],
    ),
    "columns in another order, missing, and new": (
        {"a.csv": "id,name\n1,Ada\n", "b.csv": "extra,id\nx,2\n"},
        {},
        [
            {"id": "String", "name": "String", "extra": "String"},
            [["1", "Ada", None], ["2", None, "x"]],
        ],
    ),
    "none of the columns": (
        {"a.csv": "id,name\n1,Ada\n", "b.csv": "<html>\n<body>\n"},
        {},
        "b.csv has none of the columns of the other files: <html>; they have id, name; narrow",
    ),
    "nested": (
        {"a.ndjson": '{"a": 1, "b": null}\n', "b.ndjson": '{"a": "q", "b": {"x": [1.5]}}\n'},
        {},
        [{"a": "String", "b": "Struct({'x': List(Float64)})"}, [["1", None], ["q", {"x": [1.5]}]]],
    ),
    "separator": (
        {"a.txt": "id;name\n1;Ada\n"},
        {"format": "csv", "options": {"separator": ";"}},
        [
            {"id": "String", "name": "String"},
            [["1", "Ada"]],
        ],
    ),
    "schema": (
        {"a.csv": "id,zip,ok\n1,12,true\n"},
        {"schema": {"id": "Int16", "zip": "String", "ok": "Boolean"}},
        [{"id": "Int16", "zip": "String", "ok": "Boolean"}, [[1, "12", True]]],
    ),
    "not the schema": (
        {"a.csv": "id\n1\n", "b.csv": "id,more\n1,2\n"},
        {"schema": {"id": "Int16"}},
        "b.csv: columns differ from the schema: more",
    ),
    "not of the schema's types": (
        {"a.csv": "id\n1\n", "b.csv": "id\nx\n"},
        {"schema": {"id": "Int16"}},
        "b.csv cannot be read: id is 'x', which is no Int16",
    ),
    "ragged": (
        {"a.csv": "id,x\n1,2\n", "b.csv": "id,x\n1,2\n1\n"},
        {},
        "b.csv, line 3: 1 field, but the header has 2; ",
    ),
    "not unicode": (
        {"a.csv": "id\n1\n", "b.csv": "id\ncafé\n".encode("latin-1")},
        {},
        [{"id": "String"}, [["1"], ["café"]]],
    ),
    "broken JSON": (
        {"a.ndjson": '{"id": 1}\n', "b.ndjson": '{"id": 1\n'},
        {},
        "b.ndjson, line 2, record 1: expecting ',' delimiter",
    ),
    "broken Parquet": ({"a.parquet": "PAR1 and no more"}, {}, "a.parquet cannot be read: "),
    "broken gzip": (
        {"a.csv.gz": gzip.compress(b"id\n1\n")[:-9]},
        {},
        "a.csv.gz cannot be unpacked: Compressed file ended before",
    ),
    "not gzip": ({"a.csv.gz": "id\n1\n"}, {}, "a.csv.gz cannot be unpacked: Not a gzipped file"),
    "unknown": ({"a.dat": "x"}, {}, "a.dat: its name does not say what is in it; "),
    "a number that the schema would change": (
        {"a.json": '[{"id": 1}]', "b.json": '[{"id": 1.5}]'},
        {"schema": {"id": "Int16"}},
        "b.json cannot be read: id is 1.5, which is no Int16",
    ),
    "d24 UTF-16": (
        {"a.csv": "id;name\n1;Zoë\n".encode("utf-16")},
        {},
        [{"id": "String", "name": "String"}, [["1", "Zoë"]]],
    ),
    "an unknown option": (
        {"a.csv": "id\n1\n"},
        {"options": {"sep": ";"}},
        "there is no option sep",
    ),
    "nothing": ({"a.csv": ""}, {"schema": {"id": "Int16"}}, [{"id": "Int16"}, []]),
}


@pytest.fixture(scope="module")
def shops(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Shop:
    """Return a project for tests that read files that are there already."""
    shop = maker(tmp_path_factory.mktemp("files"), runtime, templates)()
    shop.add_asset("orders", "--template", "sftp", "--pattern", "/out/*.xlsx")
    return shop


@pytest.fixture(scope="module")
def read_alone(shops: Shop) -> Mapping[str, Any]:
    """Return what becomes of each of the cases."""
    asked = {}
    for number, (name, (files, how, _)) in enumerate(CASES.items()):
        folder = shops.root / "given" / str(number)
        folder.mkdir(parents=True)
        asked[name] = ([str(put(folder / file, text)) for file, text in files.items()], how)
    (shops.root / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    done = shops.python(program("sftp_files"), "asked.json")
    assert done.returncode == 0, told(done)
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_files(read_alone: Mapping[str, Any], name: str) -> None:
    expected, found = CASES[name][2], read_alone[name]
    if isinstance(expected, str):
        assert isinstance(found, str)
        _, given, named = found.rpartition("/given/")
        assert (named.partition("/")[2] if given else found).startswith(expected)
    else:
        assert found == expected


def test_workbooks_need_one_more_package(shops: Shop) -> None:
    requirements = (shops.root / "pyproject.toml").read_text("utf-8")
    assert '"asyncssh' in requirements
    assert '"fastexcel' in requirements


def test_what_is_remembered_is_small_and_not_for_ever(shops: Shop) -> None:
    done = shops.python(program("sftp_positions"))
    assert done.returncode == 0, told(done)
    size, left = json.loads(done.stdout)
    assert size < 1_100_000
    assert left == 91


def test_through_dagster(project: MakeShop, server: Sshd, out: Path) -> None:
    shop = project()
    shop.add_asset("orders", "--template", "sftp", "--pattern", f"{out}/*.csv")
    shop.env(**server.variables())
    put(out / "1.csv", "id\n1\n")
    put(out / "2.txt.csv", "id;name\n2;Zoë\n")
    core = shop.root / "src/core/bronze_orders.py"
    core.write_text(core.read_text("utf-8").replace("*.csv", "[0-9].csv"), "utf-8")
    assert shop.json()["success"]
    assert shop.rows("bronze_orders") == [{"id": "1"}]
    assert {one["rows"] for one in shop.json()["assets"]} == {0}
    done = shop.python("-m", "polster_runtime", "doctor", "--json")
    checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert checks["source orders: list"]["status"] == "ok"
    assert checks["source orders: list"]["message"] == f"1 file matches {out}/[0-9].csv"
