"""The folder of a project, in which the runtime is used directly."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from unittest import mock

import pytest

from polster_runtime.config import dotenv_files, environment, root, settings

PYPROJECT = """\
[project]
name = "shop"

[project.entry-points."polster_runtime.storage"]
local = "polster_runtime.storage.backends.local"

[tool.polster]
runtime = "vendored"
"""

CoreFile = Callable[[str, str], ModuleType]


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Iterator[Path]:
    """Return a new project's folder; the environment has nothing but what names it."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    caches = (
        root._found,
        root._with_own_code,
        root._parsed,
        root.key_prefix,
        environment._load_dotenv,
        dotenv_files._pairs,
        settings._settings_class,
    )
    for cache in caches:
        cache.cache_clear()
    with mock.patch.dict(os.environ, {"PROJECT_ROOT": str(tmp_path)}, clear=True):
        yield tmp_path
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def core_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CoreFile]:
    """Write and import core files of the project."""
    folder = project / "src" / "core"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(folder.parent))

    def write(stem: str, text: str) -> ModuleType:
        head = "import dataframely as dy\nimport polars as pl\n\n"
        (folder / f"{stem}.py").write_text(head + dedent(text), encoding="utf-8")
        return import_module(f"core.{stem}")

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "core"]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def new_history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of Dagster's history as Dagster has made it, without a run.

    To make its files takes five times as long as to open them.
    """
    from dagster import DagsterInstance

    folder = tmp_path_factory.mktemp("history")
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    with DagsterInstance.from_config(str(folder)) as instance:
        assert instance.get_runs_count() == 0
    return folder


@pytest.fixture
def home(project: Path, new_history: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of Dagster's history, which is empty."""
    folder = project / ".dagster"
    shutil.copytree(new_history, folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    monkeypatch.setenv("DAGSTER_DEFAULT_IO_MANAGER_MODULE", "polster_runtime.dagster.io_manager")
    monkeypatch.setenv("DAGSTER_DEFAULT_IO_MANAGER_ATTRIBUTE", "snapshots")
    return folder
