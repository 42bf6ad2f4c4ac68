"""Which files are read, and what becomes of those that cannot be."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from polster_runtime.sources import files as reading
from polster_runtime.sources.base import SourceError
from polster_runtime.sources.files import (
    NoFiles,
    find_files,
    new_files,
    read_csv,
    read_excel,
    read_json,
    read_parquet,
)
from polster_runtime.sources.files.csv_reader import csv_frames
from polster_runtime.sources.files.found_files import DataFile
from polster_runtime.sources.files.look import look
from polster_runtime.sources.files.unpack import unpack_all

zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
TEXT = "id,name\n1,Ann\n2,Zoë\n"
ROWS = [("1", "Ann"), ("2", "Zoë")]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a project's directory."""
    monkeypatch.setenv("PROJECT_ROOT", str(tmp_path))
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path / "data")
    return tmp_path / "data"


def rows(frames: Any) -> list[tuple[Any, ...]]:
    """Return the rows of frames."""
    found: list[tuple[Any, ...]] = pl.concat(frames).rows()
    return found


def says(call: Callable[[], Any]) -> str:
    """Return what is said where something cannot be read."""
    with pytest.raises(SourceError) as error:
        call()
    return str(error.value)


def test_patterns_start_at_the_project(here: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden.csv"):
        (here / name).write_text(TEXT, encoding="utf-8")
    (here / "c.csv").mkdir()
    frame = pl.concat(read_csv("data/*.csv", file_column="_file"))
    assert frame["_file"].to_list() == ["data/a.csv", "data/a.csv", "data/b.csv", "data/b.csv"]
    assert rows(read_csv(str(here / "a.csv"))) == ROWS


def test_no_file_is_an_error_that_names_the_pattern() -> None:
    with pytest.raises(NoFiles, match=r"no file matches data/x-\*\.csv; check the path"):
        list(read_csv("data/x-*.csv"))
    assert says(lambda: list(read_csv("gone.csv"))).startswith("no file matches gone.csv")


def test_a_directory() -> None:
    assert says(lambda: list(read_csv("data"))).startswith("data is a directory; name its files")


def test_a_name_is_no_pattern_if_there_is_such_a_file(here: Path) -> None:
    (here / "a[1].csv").write_text(TEXT, encoding="utf-8")
    assert rows(read_csv("data/a[1].csv")) == ROWS


def test_what_is_no_file(here: Path) -> None:
    os.mkfifo(here / "pipe.csv")
    assert says(lambda: list(read_csv("data/*.csv"))) == "data/pipe.csv is not a regular file"
    assert says(lambda: list(read_csv("/dev/zero"))) == "/dev/zero is not a regular file"


def test_a_name_with_a_line_end(here: Path) -> None:
    (here / "a\nb.csv").write_text("id,name\n1\n", encoding="utf-8")
    assert says(lambda: list(read_csv("data/*.csv"))).startswith("data/a\\nb.csv, line 2: 1 field,")


def test_a_broken_link(here: Path) -> None:
    (here / "a.csv").symlink_to(here / "gone")
    said = says(lambda: list(read_csv("data/*.csv")))
    assert said == "data/a.csv cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", zstd.compress),
    ],
)
def test_packed_files(here: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    file = here / f"a.csv{suffix}"
    file.write_bytes(pack(TEXT.encode()))
    assert rows(read_csv("data/*.csv*")) == ROWS
    file.write_bytes(pack(TEXT.encode() * 9)[:-5])
    assert says(lambda: list(read_csv("data/*"))).startswith(f"data/a.csv{suffix} cannot be unpac")
    packed = pack(b"a" * 100_000)
    file.write_bytes(packed)
    files = find_files("data/*.csv*", here.parent)
    said = says(lambda: list(unpack_all(files, here, limit=99_999)))
    assert said == f"data/a.csv{suffix} unpacks to more than 99,999 bytes"


def test_d24_zip(here: Path) -> None:
    with zipfile.ZipFile(here / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.csv", TEXT)
        archive.writestr("__MACOSX/one.csv", "x")
        archive.writestr("in/../../two.csv", TEXT)
    frame = pl.concat(read_csv("data/a.zip", file_column="_file"))
    assert frame.select("id", "name").rows() == ROWS * 2
    assert frame["_file"].to_list()[::2] == ["data/a.zip/one.csv", "data/a.zip/in/../../two.csv"]
    (here / "a.zip").write_bytes(b"PK")
    assert says(lambda: list(read_csv("data/a.zip"))).startswith("data/a.zip cannot be unpacked: ")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("flags", 1, "data/a.zip/one.csv is encrypted; unpack it before it is read"),
        ("method", 9, "data/a.zip/one.csv is compressed in a way that Python cannot read"),
    ],
)
def test_d24_zip_that_python_cannot_read(here: Path, field: str, value: int, said: str) -> None:
    with zipfile.ZipFile(here / "a.zip", "w") as archive:
        archive.writestr("one.csv", TEXT)
    data = bytearray((here / "a.zip").read_bytes())
    central = data.index(b"PK\x01\x02")
    local_at, central_at = (6, 8) if field == "flags" else (8, 10)
    struct.pack_into("<H", data, local_at, value)
    struct.pack_into("<H", data, central + central_at, value)
    (here / "a.zip").write_bytes(data)
    assert says(lambda: list(read_csv("data/a.zip"))).startswith(said)


def test_a_name_that_is_no_text(here: Path) -> None:
    """Linux allows any bytes in it; the libraries that read files do not."""
    name = os.fsdecode(b"\xff")
    (here / f"{name}.csv").write_text(TEXT, encoding="utf-8")
    (here / f"{name}.ndjson").write_text('{"id": 1}\n', encoding="utf-8")
    pl.DataFrame({"id": [1]}).write_parquet(here / "a")
    (here / "a").rename(here / f"{name}.parquet")
    pl.DataFrame({"id": [1]}).write_excel(here / "a.xlsx")
    (here / "a.xlsx").rename(here / f"{name}.xlsx")
    assert rows(read_csv("data/*.csv", file_column="f")) == [(*row, "data/?.csv") for row in ROWS]
    assert rows(read_json("data/*.ndjson", file_column="f")) == [(1, "data/?.ndjson")]
    assert rows(read_parquet("data/*.parquet", file_column="f")) == [(1, "data/?.parquet")]
    assert rows(read_excel("data/*.xlsx", file_column="f")) == [(1, "data/?.xlsx")]


@pytest.mark.parametrize("suffix", ["ndjson", "csv", "parquet"])
def test_a_name_with_brackets_means_no_other_file(here: Path, suffix: str) -> None:
    for name, value in (("a[1]", 1), ("a1", 2)):
        frame = pl.DataFrame({"id": [value]})
        getattr(frame, f"write_{suffix}")(here / f"{name}.{suffix}")
    readers: dict[str, Any] = {"ndjson": read_json, "csv": read_csv, "parquet": read_parquet}
    assert [str(value) for (value,) in rows(readers[suffix](f"data/a[1].{suffix}"))] == ["1"]


@pytest.mark.parametrize("encoding", ["", "cp1252"])
def test_d24_an_archive_is_no_text(here: Path, encoding: str) -> None:
    with tarfile.open(here / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("id.csv")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"id\n1"))
    said = says(lambda: list(read_csv("data/*.tar.gz", encoding=encoding)))
    assert said.startswith("data/a.tar.gz is no text: it is a tar archive; ")
    (here / "a.json").write_bytes(gzip.compress(b"[]"))
    said = says(lambda: list(read_json("data/*.json")))
    assert said.startswith("data/a.json is no text: it is packed by gzip, ")


def test_new_files_and_those_that_changed(here: Path) -> None:
    (here / "a.csv").write_text(TEXT, encoding="utf-8")
    first = new_files("data/*.csv", None, root=here.parent)
    assert rows(read_csv(first)) == ROWS
    position = json.loads(json.dumps(first.position))
    assert new_files("data/*.csv", position, root=here.parent).files == ()
    assert list(read_csv(new_files("data/*.csv", position, root=here.parent))) == []
    (here / "b.csv").write_text(TEXT, encoding="utf-8")
    os.utime(here / "b.csv", (1, 1))
    second = new_files("data/*.csv", position, root=here.parent)
    assert [file.name for file in second.files] == ["data/b.csv"]
    (here / "a.csv").write_text(TEXT + "3,Bo\n", encoding="utf-8")
    third = new_files("data/*.csv", second.position, root=here.parent)
    assert [file.name for file in third.files] == ["data/a.csv"]


@pytest.mark.parametrize("ahead", [3 * 86_400, 10**12])
def test_d24_a_file_of_the_future_is_read_and_so_is_what_comes_later(
    here: Path, ahead: int
) -> None:
    (here / "a.csv").write_text(TEXT, encoding="utf-8")
    try:
        os.utime(here / "a.csv", (ahead + 1_800_000_000,) * 2)
    except OSError:
        pytest.fail("this file system has no such time")
    first = new_files("data/*.csv", None, root=here.parent)
    assert [file.name for file in first.files] == ["data/a.csv"]
    (here / "b.csv").write_text(TEXT, encoding="utf-8")
    second = new_files("data/*.csv", first.position, root=here.parent)
    assert [file.name for file in second.files] == ["data/b.csv"]


def test_a_position_that_a_person_has_set(here: Path) -> None:
    (here / "a.csv").write_text(TEXT, encoding="utf-8")
    os.utime(here / "a.csv", (1_700_000_000, 1_700_000_000))
    assert new_files("data/*.csv", "2023-11-14", root=here.parent).files
    assert not new_files("data/*.csv", "2023-11-15", root=here.parent).files
    assert says(lambda: new_files("data/*.csv", "soon")).startswith("no file matches")
    said = says(lambda: new_files("data/*.csv", "soon", root=here.parent))
    assert said.startswith("the position 'soon' is no date; ")


def test_the_other_readers(here: Path) -> None:
    (here / "a.json").write_text('[{"a": 1}]', encoding="utf-8")
    pl.DataFrame({"a": [1]}).write_parquet(here / "a.parquet")
    pl.DataFrame({"a": [1]}).write_excel(here / "a.xlsx")
    (here / "~$a.xlsx").write_bytes(b"x")
    assert rows(read_json("data/*.json")) == [(1,)]
    assert rows(read_parquet("data")) == [(1,)]
    assert rows(read_excel("data/*.xlsx")) == [(1,)]


def test_a_look_at_csv(here: Path) -> None:
    for name in ("a", "b"):
        (here / f"{name}.csv").write_bytes("id;preis\n01;1,50\n02;\n3;4\n5;6\n".encode("utf-16"))
    found = look("*.csv")
    assert (found.files, found.kind) == (2, "csv")
    assert found.columns == {"id": "String", "preis": "String"}
    assert found.rows == [{"id": "01", "preis": "1,50"}, {"id": "02"}, {"id": "3", "preis": "4"}]
    assert found.notes == {
        "encoding": "utf-16",
        "separator": ";",
        "decimal": ",",
        "header_row": "1",
    }
    assert look("*.csv", options={"separator": ","}).columns == {"id;preis": "String"}


def test_a_look_at_the_others(here: Path) -> None:
    (here / "a.ndjson").write_text('{"a": 1, "b": [1.5]}\n{"a": "x", "b": []}', encoding="utf-8")
    found = look("a.ndjson")
    assert found.columns == {"a": "String", "b": "List(Float64)"}
    assert found.rows == [{"a": "1", "b": "[1.5]"}, {"a": "x", "b": "[]"}]
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    frame.write_parquet(here / "a.parquet")
    frame.write_excel(here / "a.xlsx")
    for name in ("a.parquet", "a.xlsx"):
        found = look(name)
        assert found.columns == {"a": "Int64", "b": "String"}
        assert found.rows == [{"a": "1", "b": "x"}, {"b": "y"}]
    (here / "a.bin").write_bytes(b"x")
    lake = here / "lake" / "year=2025"
    lake.mkdir(parents=True)
    frame.write_parquet(lake / "part-0.parquet")
    found = look("lake", "parquet")
    assert found.columns == {"a": "Int64", "b": "String", "year": "Int64"}
    assert "its name does not say what is in it" in says(lambda: look("a.bin"))
    assert says(lambda: look("gone-*.csv")).startswith("no file matches gone-*.csv")


def test_a_look_as_a_program_without_polars(here: Path) -> None:
    (here / "a.csv").write_text(TEXT, encoding="utf-8")
    module = "polster_runtime.sources.files.look"
    blocked = (
        "import sys, runpy\n"
        "sys.modules['polars'] = sys.modules['fastexcel'] = None\n"
        f"runpy.run_module({module!r}, run_name='__main__')\n"
    )
    source = Path(reading.__file__).parents[3]
    env = {**os.environ, "PYTHONPATH": str(source)}
    for name, code in (("a.csv", 0), ("b.csv", 1)):
        done = subprocess.run(
            [sys.executable, "-c", blocked, name], env=env, capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
        if code:
            assert done.stderr.decode().strip() == "no file matches b.csv; check the path"
        else:
            assert json.loads(done.stdout)["columns"] == {"id": "String", "name": "String"}


EMPTY = {
    "csv": (read_csv, "data/a.csv is empty: there is no header"),
    "parquet": (read_parquet, "data/a.parquet cannot be read: it is not a Parquet file, or is cut"),
    "xlsx": (read_excel, "data/a.xlsx cannot be read: "),
    "ods": (read_excel, "data/a.ods cannot be read: "),
    "xls": (read_excel, "data/a.xls cannot be read: "),
    "csv.gz": (read_csv, "data/a.csv.gz is empty: there is no header"),
    "zip": (read_csv, "data/a.zip cannot be unpacked: "),
}


@pytest.mark.parametrize("suffix", EMPTY)
def test_files_without_a_byte(here: Path, suffix: str) -> None:
    (here / f"a.{suffix}").touch()
    read, said = EMPTY[suffix]
    assert says(lambda: list(read("data/a.*"))).startswith(said)


def test_json_without_a_byte(here: Path) -> None:
    (here / "a.json").touch()
    assert list(read_json("data/a.json")) == []


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("suffix", ["parquet", "xlsx", "csv.gz"])
def test_files_that_are_cut(here: Path, suffix: str, share: float) -> None:
    path = here / f"a.{suffix}"
    frame = pl.DataFrame({"a": range(5_000), "b": map(str, range(5_000))})
    if suffix == "csv.gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    else:
        (frame.write_excel if suffix == "xlsx" else frame.write_parquet)(path)
    os.truncate(path, int(path.stat().st_size * share))
    read = {"parquet": read_parquet, "xlsx": read_excel, "csv.gz": read_csv}[suffix]
    said = says(lambda: list(read(f"data/a.{suffix}")))
    assert re.match(rf"data/a\.{re.escape(suffix)} cannot be (read|unpacked): \S", said)


def test_a_workbook_with_a_password(here: Path) -> None:
    # What [MS-OFFCRYPTO] makes of .xlsx is an OLE container, with a stream EncryptedPackage.
    (here / "a.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4_000))
    assert says(lambda: list(read_excel("data/a.xlsx"))) == (
        "data/a.xlsx is encrypted, or an old .xls; save it without a password, or name it .xls"
    )


def test_a_file_that_may_not_be_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "a.csv").write_text(TEXT, encoding="utf-8")
    opened = Path.open

    def refused(path: Path, *args: Any, **more: Any) -> Any:
        if path.name == "a.csv":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *args, **more)

    monkeypatch.setattr(Path, "open", refused)
    said = says(lambda: list(read_csv("data/*.csv")))
    assert said == "data/a.csv cannot be read: Permission denied"


def test_a_file_that_grows_while_it_is_read(here: Path) -> None:
    (here / "a.csv").write_text("id,name\n" + "1,Ann\n" * 200_000, encoding="utf-8")
    frames = read_csv("data/a.csv")
    next(frames)
    with (here / "a.csv").open("a", encoding="utf-8") as out:
        out.write("2,Bo\n" * 200_000)
    assert says(lambda: list(frames)) == "data/a.csv changed while it was read; run again"


def test_csv_with_nul_bytes(here: Path) -> None:
    (here / "a.csv").write_bytes(b"id,name\n1,a\x00b\n2,\x00\n")
    assert rows(read_csv("data/a.csv")) == [("1", "a\x00b"), ("2", "\x00")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_very_long_line(here: Path, quote: str) -> None:
    long = "x" * 5_000_000
    (here / "a.csv").write_text(f"id,name\n1,{quote}{long}{quote}\n2,b\n", encoding="utf-8")
    assert rows(read_csv("data/a.csv")) == [("1", long), ("2", "b")]
    (here / "a.ndjson").write_text(f'{{"a": "{long}"}}\n{{"a": "b"}}\n', encoding="utf-8")
    assert rows(read_json("data/a.ndjson")) == [(long,), ("b",)]


@pytest.mark.parametrize("quote", ["", '"'])
def test_ten_thousand_columns(here: Path, quote: str) -> None:
    names = [f"c{number}" for number in range(10_000)]
    row = ",".join(f"{quote}{number}{quote}" for number in range(10_000))
    (here / "a.csv").write_text(f"{','.join(names)}\n{row}\n{row}\n", encoding="utf-8")
    frame = pl.concat(read_csv("data/a.csv"))
    assert frame.columns == names
    assert frame.rows() == [tuple(map(str, range(10_000)))] * 2
    (here / "a.ndjson").write_text(
        (json.dumps(dict.fromkeys(names, 1)) + "\n") * 3, encoding="utf-8"
    )
    assert pl.concat(read_json("data/a.ndjson")).shape == (3, 10_000)


def test_a_file_that_shrinks_to_nothing_while_it_is_read(here: Path) -> None:
    path = here / "a.csv"
    path.write_text("id,name\n" + "1,Ann\n" * 200_000, encoding="utf-8")
    frames = csv_frames([DataFile(path, "a.csv")])
    next(frames)
    os.truncate(path, 100)
    assert "a.csv" in says(lambda: list(frames))
