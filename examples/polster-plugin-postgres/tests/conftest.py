"""Fixtures: a PostgreSQL, and projects that read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from database import ORDERS, Database, running
from shop import Shop


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """Run a server with a table of three orders."""
    with running() as found:
        found.execute(ORDERS)
        yield found


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Shop:
    """Write a project; its environment is made unless PROJECT_PYTHON has what it needs."""
    folder, given = tmp_path_factory.mktemp("template"), os.environ.get("PROJECT_PYTHON")
    polster = [sys.executable, "-m", "polster_core"]
    new = [*polster, "init", "shop", "--no-sample-assets", "--no-setup", "--no-git"]
    subprocess.run(new, cwd=folder, check=True)
    root = folder / "shop"
    python = Path(given) if given else root / ".venv" / "bin" / "python"
    shop = Shop(root, python, database.variables)
    shop.add("orders")
    if not given:
        subprocess.run([*polster, "setup"], cwd=root, check=True)
    return shop


@pytest.fixture
def shop(tmp_path: Path, template: Shop) -> Shop:
    """Return a new project, with the asset bronze_orders."""
    without = shutil.ignore_patterns(".venv")
    shutil.copytree(template.root, tmp_path / "shop", symlinks=True, ignore=without)
    return Shop(tmp_path / "shop", template.python, template.variables)
