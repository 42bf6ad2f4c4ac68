"""What is published is on the disk, never replaces a file, and needs neither links nor one disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.storage import durable, staging
from polster_runtime.storage.store import Store

ORDERS = AssetId("bronze", "orders")


@pytest.fixture
def disk(project: Path) -> Store:
    """Return an empty store on disk."""
    return Store(LocalFileSystem(), (project / "data").as_posix())


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system answer as it does on exFAT."""

    def link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """Return a folder on another file system than that of the project."""
    folder = Path(mkdtemp(dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def content(folder: Path) -> dict[str, str]:
    """Return the files in a folder, without the lock."""
    return {
        path.name: path.read_text("utf-8") for path in folder.iterdir() if path.name != durable.LOCK
    }


def staged(folder: Path, text: str = "new") -> Path:
    """Write a file to be published."""
    file = folder / f"{text}.staged"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("system", ["links", "no_links"])
def test_s6_a_file_is_never_replaced(
    tmp_path: Path, system: str, request: pytest.FixtureRequest
) -> None:
    if system == "no_links":
        request.getfixturevalue(system)
    path = tmp_path / "a" / "b" / "x"
    durable.publish(staged(tmp_path), path)
    with pytest.raises(FileExistsError):
        durable.publish(staged(tmp_path, "other"), path)
    assert content(path.parent) == {"x": "new"}


@pytest.mark.usefixtures("no_links")
def test_s6_one_of_many_wins_without_links(tmp_path: Path) -> None:
    path = tmp_path / "a" / "x"

    def attempt(number: int) -> str:
        try:
            durable.publish(staged(tmp_path, str(number)), path)
        except FileExistsError:
            return ""
        return str(number)

    with ThreadPoolExecutor(8) as pool:
        (winner,) = filter(None, pool.map(attempt, range(8)))
    assert content(path.parent) == {"x": winner}


@pytest.mark.usefixtures("no_links")
def test_s6_increments_without_links(disk: Store) -> None:
    for row in range(3):
        file = staging.stage(pl.LazyFrame({"id": [row]}), dict)
        disk.publish(file, disk.new_path(ORDERS, on=disk.latest(ORDERS)))
    latest = disk.latest(ORDERS)
    assert latest
    assert disk.scan(latest).collect()["id"].to_list() == [0, 1, 2]


def test_s6_data_on_another_disk(disk: Store, other_disk: Path) -> None:
    Path(disk.root).mkdir()
    assert other_disk.stat().st_dev != Path(disk.root).stat().st_dev
    Path(disk.root, "bronze").symlink_to(other_disk)
    for row in range(2):
        file = staging.stage(pl.LazyFrame({"id": [row]}), dict)
        disk.publish(file, disk.new_path(ORDERS, on=disk.latest(ORDERS)))
    latest = disk.latest(ORDERS)
    assert latest
    assert disk.scan(latest).collect()["id"].to_list() == [0, 1]
    assert sorted(path.suffix for path in (other_disk / "orders").iterdir()) == [".parquet"] * 2


def test_s6_what_an_interrupted_copy_left_goes(tmp_path: Path, other_disk: Path) -> None:
    old, young = other_disk / ".a.1.part", other_disk / ".b.2.part"
    for file in (old, young):
        file.touch()
    os.utime(old, (0, 0))
    durable.publish(staged(tmp_path), other_disk / "x")
    assert sorted(path.name for path in other_disk.iterdir()) == [".b.2.part", "x"]


def test_s6_file_and_folders_reach_the_disk_before_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = list[Path]()
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    file = staged(tmp_path)
    durable.publish(file, tmp_path / "a" / "b" / "x")
    assert synced[0] == file
    assert {tmp_path / "a" / "b", tmp_path / "a", tmp_path} <= set(synced[1:])


def test_s6_a_file_in_place_of_a_folder_is_a_sentence(disk: Store) -> None:
    Path(disk.root).mkdir()
    Path(disk.root, "bronze").touch()
    file = staging.stage(pl.LazyFrame({"id": [1]}), dict)
    with pytest.raises(StorageError, match=r"cannot write .*bronze.*: Not a directory"):
        disk.publish(file, f"{disk.root}/bronze/orders/20260101T000000000000Z-abcdef.parquet")
