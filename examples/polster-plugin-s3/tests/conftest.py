"""Fixtures: a server that speaks S3, and projects that keep their data there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Server, Shop, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server that takes every key."""
    with running(tmp_path_factory.mktemp("moto") / "log") as found:
        yield found


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Write a project; its environment is made unless PROJECT_PYTHON has what it needs."""
    folder, given = tmp_path_factory.mktemp("template"), os.environ.get("PROJECT_PYTHON")
    command = [sys.executable, "-m", "polster_core", "init", "shop", "--storage", "s3"]
    options = ["--s3-bucket", "lake", "--sample-assets", "--no-git"]
    setup = "--no-setup" if given else "--setup"
    subprocess.run([*command, *options, setup], cwd=folder, check=True)
    root = folder / "shop"
    return Shop(root, Path(given) if given else root / ".venv" / "bin" / "python")


@pytest.fixture
def shop(tmp_path: Path, template: Shop) -> Shop:
    """Return a new project."""
    without = shutil.ignore_patterns(".venv")
    shutil.copytree(template.root, tmp_path / "shop", symlinks=True, ignore=without)
    return Shop(tmp_path / "shop", template.python)
