"""A project that can keep its data here and in Azure, and an Azure to try it with."""

from __future__ import annotations

import compileall
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from polster_core.testing import StorageProject
from tests.generated.conftest import *  # noqa: F403 - its fixtures are ours as well
from tests.generated.conftest import also
from tests.generated.projects import Generated, copy, initialise, only_one
from tests.storage import azurite as emulator
from tests.storage.azurite import Azurite
from tests.storage.warm_project import WarmProject

ADLS = ("adlfs>=2026.8", "azure-identity>=1.19,<2", "azure-storage-blob>=12.24,<13")


@pytest.fixture(scope="session")
def azurite(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Run Azurite; it is installed once a machine, or where AZURITE_HOME says."""
    home = os.environ.get("AZURITE_HOME")
    folder = Path(home) if home else Path(tempfile.gettempdir()) / "polster-azurite"
    with only_one(shared / "azurite.lock"):
        script = emulator.installed(folder)
    with emulator.running(script, tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture(scope="session")
def python(runtime: Path) -> Path:
    """Return a Python with what a project with either backend needs."""
    return also(runtime, "adls", *ADLS)


@pytest.fixture(scope="session")
def template(shared: Path) -> Path:
    """Return a project with both backends, as `polster init --storage adls` writes it."""
    folder = shared / "adls" / "shop"
    with only_one(shared / "templates.lock"):
        if not folder.exists():
            folder.parent.mkdir(exist_ok=True)
            initialise(folder, "--storage", "adls", *INIT)
            compileall.compile_dir(folder / "src", quiet=2)  # not in each copy again
    return folder


INIT = ("--adls-account-name", emulator.ACCOUNT, "--adls-container", "lake", "--sample-assets")


@pytest.fixture
def shop(tmp_path: Path, template: Path, python: Path) -> Generated:
    """Return a new project with both backends."""
    return Generated(copy(template, tmp_path / "shop"), python)


def stored(root: Path, python: Path, variables: Mapping[str, str]) -> StorageProject:
    """Return a project as the contract wants it."""
    return WarmProject(root=root, python=python, variables=variables)
