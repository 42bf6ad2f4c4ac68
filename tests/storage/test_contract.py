"""What every storage backend promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from polster_core.testing import StorageContract, StorageProject
from tests.generated.projects import copy
from tests.storage.azurite import Azurite
from tests.storage.conftest import stored


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, template: Path, python: Path) -> StorageProject:
    root = copy(template, tmp_path_factory.mktemp("local") / "shop")
    return stored(root, python, {"STORAGE_BACKEND": "local"})


@pytest.fixture(scope="module")
def lake(
    tmp_path_factory: pytest.TempPathFactory, template: Path, python: Path, azurite: Azurite
) -> StorageProject:
    root = copy(template, tmp_path_factory.mktemp("adls") / "shop")
    return stored(root, python, azurite.variables(azurite.create("contract")))


class TestLocal(StorageContract):
    """The data folder of the project."""

    @pytest.fixture
    def stored(self, here: StorageProject) -> StorageProject:
        """Give it."""
        return here


class TestDataLake(StorageContract):
    """A container in Azurite."""

    @pytest.fixture
    def stored(self, lake: StorageProject) -> StorageProject:
        """Give it."""
        return lake
