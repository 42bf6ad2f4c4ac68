"""A project that can keep its data here and in Azure, and an Azure to try it with."""

from __future__ import annotations

import compileall
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from polster_core.delivery import runtime_folder
from polster_core.testing import StorageProject
from tests.generated import warm
from tests.generated.conftest import *  # noqa: F403 - its fixtures are ours as well
from tests.generated.conftest import also
from tests.generated.projects import Generated, copy, initialise, only_one, told
from tests.storage import azurite as emulator
from tests.storage.azurite import Azurite

SCRIPT = str(runtime_folder() / "testing" / "storage_contract.py")
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


class WarmProject(StorageProject):
    """One whose processes are forked off a warm Python, where nobody watches or limits them."""

    def do(self, action: str, asset: str, number: int = 1, **how: Any) -> Any:
        """Do something with the project's store, and return what came out."""
        if how:
            return super().do(action, asset, number, **how)
        args = (SCRIPT, action, asset, str(number))
        done = warm.run(self.python, args, cwd=self.root, env=self.environment)
        assert done.returncode == 0, told(done)
        return json.loads(done.stdout)


def stored(root: Path, python: Path, variables: Mapping[str, str]) -> StorageProject:
    """Return a project as the contract wants it."""
    return WarmProject(root=root, python=python, variables=variables)
