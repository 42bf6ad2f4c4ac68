"""A bronze asset that reads the gold of another project: its files alone, never its code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config import dotenv_files, environment
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import SettingsError, SourceError
from polster_runtime.execution.materialize import materialize
from polster_runtime.sources.project import Project, connection_of
from polster_runtime.sources.project.place import store_of
from polster_runtime.storage.backends.adls.data_lake import DataLake
from polster_runtime.storage.registry import read
from polster_runtime.storage.staging import stage
from polster_runtime.storage.store import Store
from tests.runtime.conftest import CoreFile

GOLD, BRONZE = AssetId("gold", "customers"), AssetId("bronze", "customers")
CORE = """
from polster_runtime.sources.project import Project

source = Project("gold_customers", "crm", columns=["id"])

def extract(position=None):
    return source.read(position)
"""


class Crm:
    """The other project: a folder with data, and no code."""

    def __init__(self, folder: Path) -> None:
        """Make the folder; there is no data yet."""
        self.folder = folder
        folder.mkdir()
        (folder / "pyproject.toml").write_text(
            '[project]\nname = "crm"\n[tool.polster]\nkey-prefix = "crm"\n', encoding="utf-8"
        )
        self.store = Store(LocalFileSystem(), f"{folder}/data")

    def settings(self, text: str) -> None:
        """Write its .env."""
        (self.folder / ".env").write_text(f"{text}\n", encoding="utf-8")
        dotenv_files._pairs.cache_clear()

    def publish(self, *ids: int, **provenance: Any) -> None:
        """Write a full snapshot."""
        self._publish(self.store.new_path(GOLD), ids, provenance)

    def append(self, *ids: int) -> None:
        """Write an increment on the newest snapshot."""
        self._publish(self.store.new_path(GOLD, on=self.store.latest(GOLD)), ids, {})

    def _publish(self, path: str, ids: tuple[int, ...], provenance: dict[str, Any]) -> None:
        rows = pl.LazyFrame({"id": ids, "more": "x"}, schema={"id": pl.Int64, "more": pl.String})
        self.store.publish(stage(rows, lambda: provenance), path)


@pytest.fixture
def crm(project: Path) -> Crm:
    return Crm(project / "crm")


@pytest.fixture
def core(core_file: CoreFile) -> ModuleType:
    return core_file("bronze_customers", CORE)


def ids() -> list[int]:
    """Return what readers of the bronze asset get."""
    frame = read("bronze_customers").collect()
    assert frame.columns == ["id"]
    return sorted(frame["id"].to_list())


def test_it_takes_the_place_of_what_was_read_before(crm: Crm, core: ModuleType) -> None:
    crm.publish(1, 2)
    assert materialize(core.extract, []).rows == 2
    done = materialize(core.extract, [])
    assert (done.rows, ids()) == (0, [1, 2])
    crm.publish(2, 3)
    materialize(core.extract, [])
    assert ids() == [2, 3]
    crm.publish()
    materialize(core.extract, [])
    assert ids() == []
    crm.publish(4)
    materialize(core.extract, [])
    materialize(core.extract, [])
    assert ids() == [4]


def test_rows_that_are_only_added_are_added(crm: Crm, core: ModuleType) -> None:
    crm.publish(1)
    crm.append(2)
    assert materialize(core.extract, []).rows == 2
    crm.append(3)
    crm.append(4)
    assert materialize(core.extract, []).rows == 2
    assert ids() == [1, 2, 3, 4]
    materialize(core.extract, [], full_refresh=True)
    assert ids() == [1, 2, 3, 4]


def test_rows_that_replace_others_are_all_read_again(crm: Crm, core: ModuleType) -> None:
    crm.publish(1, 2, key=["id"], kind="upsert")
    materialize(core.extract, [])
    crm.append(2)
    materialize(core.extract, [])
    assert ids() == [1, 2]


def test_partitions_are_read_together(crm: Crm, core: ModuleType) -> None:
    for day in ("2026-01-01", "2026-01-02"):
        asset = GOLD.at(day)
        frame = pl.LazyFrame({"id": [int(day[-1])]})
        crm.store.publish(stage(frame, dict), crm.store.new_path(asset))
        materialize(core.extract, [])
    assert materialize(core.extract, []).rows == 0
    assert ids() == [1, 2]


def test_what_cannot_be_read_is_a_sentence(project: Path, crm: Crm, core: ModuleType) -> None:
    def refused(**given: str) -> str:
        source = Project(**{"asset": "gold_customers", "folder": "crm", **given})
        with pytest.raises(SourceError) as caught:
            next(source.read())
        return str(caught.value)

    assert "crm: gold_customers has no data in " in refused()
    assert "say where its data is: NOBODY_DATA" in refused(folder="../nobody")
    crm.publish(1)
    assert core.source.columns == ("id",)
    with pytest.raises(SourceError, match=r"has no column size any more; it has id, more"):
        next(Project("gold_customers", "crm", columns=["id", "size"]).read())
    crm.settings("STORAGE_BACKEND=webdav")
    assert "keeps its data with webdav; say where that is, as a URL: CRM_DATA" in refused()
    assert project.is_dir()


def test_the_settings_of_the_other_say_where_its_data_is(crm: Crm, project: Path) -> None:
    crm.settings("DATA_DIR=elsewhere")
    assert store_of("crm", "CRM").root == (project / "crm" / "elsewhere").as_posix()
    account = "ADLS_ACCOUNT_NAME=other\nADLS_CONTAINER=lake\nADLS_ACCOUNT_KEY=a2V5"
    crm.settings(f"STORAGE_BACKEND=adls\n{account}")
    lake = store_of("crm", "CRM")
    assert isinstance(lake, DataLake)
    assert (lake.access.account, lake.root) == ("other", "lake/crm/data")


def test_a_setting_says_where_the_data_is(
    crm: Crm, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("moved")
    monkeypatch.setenv("CRM_DATA", str(folder))
    assert store_of("crm", "CRM").root == folder.as_posix()
    monkeypatch.setenv("CRM_DATA", f"file://{folder}")
    assert store_of("crm", "CRM").root == folder.as_posix()
    monkeypatch.setenv("CRM_ADLS_ACCOUNT_KEY", "a2V5")
    monkeypatch.setenv("CRM_DATA", "abfss://lake@other.dfs.core.windows.net/crm/data/")
    lake = store_of("crm", "CRM")
    assert isinstance(lake, DataLake)
    assert (lake.access.account, lake.access.account_key) == ("other", "a2V5")
    assert lake.root == "lake/crm/data"
    monkeypatch.setenv("CRM_DATA", "abfss://lake@/crm")
    with pytest.raises(SettingsError, match="ADLS_ACCOUNT_NAME must be the name"):
        store_of("crm", "CRM")
    monkeypatch.setenv("CRM_DATA", "nothing://lake/crm")
    with pytest.raises(SourceError, match="CRM_DATA: "):
        store_of("crm", "CRM")
    assert crm.folder.is_dir()
    assert environment.variables() is not None


def test_the_doctor_tries_it(crm: Crm, core: ModuleType) -> None:
    crm.publish(1)
    steps: dict[str, Callable[[], str]] = dict(core.source.steps())
    assert steps["data"]() == f"{crm.folder.as_posix()}/data"
    assert steps["newest snapshot"]().endswith(".parquet")


@pytest.mark.parametrize(
    ("folder", "name"), [("../crm", "CRM"), ("../my-crm/", "MY_CRM"), ("..\\a b", "A_B")]
)
def test_the_name_of_the_settings(folder: str, name: str) -> None:
    assert connection_of(folder) == name
