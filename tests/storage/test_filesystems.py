"""Any file system of fsspec is a store: memory, WebDAV, SFTP; Polars reads none of them."""

from __future__ import annotations

import getpass
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from polster_core.delivery import runtime_folder
from polster_core.testing import StorageContract, StorageProject
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.storage import filesystems
from polster_runtime.storage.staging import stage
from polster_runtime.storage.store import Store
from tests.connectors.ssh_servers import Sshd, sshd
from tests.docs.markdown import blocks
from tests.services import free_port, wait_for
from tests.storage.warm_project import WarmProject

PYPROJECT = """
[project]
name = "shop"

[project.entry-points."polster_runtime.storage"]
elsewhere = "elsewhere"

[tool.polster]
"""
PAGE = Path(__file__).parents[2] / "docs" / "guides" / "storage-backend.md"
WEBDAV = next(block.text for block in blocks(PAGE.read_text("utf-8")) if "connect()" in block.text)
"""The backend that the guide shows."""
SFTP = """
    import os
    from fsspec.implementations.sftp import SFTPFileSystem
    from polster_runtime.storage.filesystems import PerThread
    from polster_runtime.storage.store import Store

    def connect():
        def connected():
            return SFTPFileSystem(
                "127.0.0.1", port=int(os.environ["SSH_PORT"]), username=os.environ["SSH_USER"],
                key_filename=os.environ["SSH_KEY"], skip_instance_cache=True,
            )

        return Store(PerThread(connected), os.environ["SSH_FOLDER"])
"""


def project(root: Path, backend: str, variables: Mapping[str, str]) -> StorageProject:
    (root / "src").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "src/elsewhere.py").write_text(dedent(backend))
    path = f"{root / 'src'}:{Path(str(runtime_folder())).parent}"
    given = {"PYTHONPATH": path, "STORAGE_BACKEND": "elsewhere", **variables}
    return WarmProject(root=root, python=Path(sys.executable), variables=given)


@pytest.fixture(scope="module")
def dav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageProject]:
    folder, port = tmp_path_factory.mktemp("dav"), free_port()
    url = f"http://127.0.0.1:{port}"

    script = Path(__file__).with_name("dav.py")
    with subprocess.Popen([sys.executable, script, folder / "served", str(port)]) as server:
        try:
            wait_for(port, server)
            yield project(folder / "shop", WEBDAV, {"DAV_URL": url})
        finally:
            server.kill()


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageProject]:
    folder = tmp_path_factory.mktemp("ssh")
    (folder / "sshd").mkdir()
    with sshd(folder / "sshd") as server:
        yield project(folder / "shop", SFTP, _variables(server, folder / "served"))


def _variables(server: Sshd, served: Path) -> dict[str, str]:
    return {
        "SSH_PORT": str(server.port),
        "SSH_USER": getpass.getuser(),
        "SSH_KEY": str(server.key_file),
        "SSH_FOLDER": str(served),
    }


class TestWebdav(StorageContract):
    """wsgidav, through webdav4."""

    @pytest.fixture
    def stored(self, dav: StorageProject) -> StorageProject:
        """Give it."""
        return dav


class TestSftp(StorageContract):
    """OpenSSH, through paramiko."""

    @pytest.fixture
    def stored(self, ssh: StorageProject) -> StorageProject:
        """Give it."""
        return ssh


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("PROJECT_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    fs = MemoryFileSystem(skip_instance_cache=True)
    yield Store(fs, "/lake/data")
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


ASSET = AssetId("bronze", "orders")


def publish(store: Store, number: int, path: str) -> str:
    frame = pl.LazyFrame({"row": range(1000)}).with_columns(write=pl.lit(number))
    return store.publish(stage(frame, lambda: {"position": number}), path)


def test_memory_twenty_writers(memory: Store) -> None:
    """`memory://` lives in one process: each snapshot is whole, and the newest is the latest."""
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: publish(memory, n, memory.new_path(ASSET)), range(20)))
    found = memory.snapshots(ASSET)
    assert len(found) == 20
    for snapshot in found:
        rows = memory.scan(snapshot).collect()
        assert (rows.height, rows["write"].n_unique()) == (1000, 1)
        assert memory.provenance(snapshot) == {"position": rows["write"][0]}
        memory.check(snapshot.path)
    assert memory.assets() == [ASSET]
    assert list(memory.other_files()) == []
    memory.delete(found[0])
    assert len(memory.snapshots(ASSET)) == 19


def test_memory_one_of_twenty_gets_the_increment(memory: Store) -> None:
    publish(memory, 0, memory.new_path(ASSET))
    path = memory.new_path(ASSET, on=memory.latest(ASSET))

    def attempt(number: int) -> bool:
        try:
            publish(memory, number, path)
        except StorageError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(attempt, range(20))) == 1
    latest = memory.latest(ASSET)
    assert latest is not None
    assert memory.scan(latest).collect().height == 2000
    assert [path for path in memory.fs.store if ".part" in path or ".claim" in path] == []


def test_a_damaged_file_is_named(memory: Store) -> None:
    path = publish(memory, 0, memory.new_path(ASSET))
    memory.fs.store[path].truncate(100)
    snapshot = memory.latest(ASSET)
    assert snapshot is not None
    for look in (memory.scan, memory.provenance):
        with pytest.raises(StorageError, match="is damaged"):
            look(snapshot)


def test_a_claim_that_was_left_is_named(memory: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that died while it published leaves a folder: who waits says which."""
    monkeypatch.setattr(filesystems, "CLAIM_SECONDS", 0.0)
    path = memory.new_path(ASSET)
    memory.fs.makedirs(f"{path}.claim")
    with pytest.raises(StorageError, match=r"\.claim was left by a run that ended"):
        publish(memory, 0, path)
    assert memory.latest(ASSET) is None
