"""Repositories whose pipelines run for real, and the machine that runs them.

`shop` is a bare repository with a project that has the pipelines of all three platforms and two
small assets; `lake` is the same with its data in Azure. All pipelines of a test worker share one
environment for Python packages, as a warm machine does.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cicd import tools
from tests.cicd.steps import git
from tests.generated.conftest import SELDOM
from tests.generated.conftest import shared as shared  # noqa: PLC0414
from tests.generated.projects import Generated, execute, initialise, only_one, told
from tests.storage import azurite as emulator
from tests.storage.conftest import azurite as azurite  # noqa: PLC0414 - its fixture is ours, too

ALL = "github-actions,azure-devops,gitlab-ci"
SECRET = "hunter2 +/=&%ö\"'x"  # noqa: S105
"""A secret that looks different in every place: in a URL, in JSON, in a shell."""
_ORDERS = '''\
"""Orders from a web service that wants a token."""

import os
from urllib.parse import quote, quote_plus

import polars as pl

from polster_runtime import run


def extract() -> pl.DataFrame:
    """Ask for the orders, and say so."""
    token = os.environ.get("API_TOKEN", "none")
    print("asked", f"https://api.example/?key={quote(token, safe='')}", quote_plus(token), token)
    if os.environ.get("ORDERS") == "down":
        raise ConnectionError(f"https://api.example/?key={quote(token)} refused {token}")
    return pl.DataFrame({"id": [1, 2, 3], "has_token": [token != "none"] * 3})


if __name__ == "__main__":
    run(extract)
'''
_CLEAN = '''\
"""Orders, each once."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every order has."""

    id = dy.Int64(primary_key=True)
    has_token = dy.Bool()


def transform(orders: pl.LazyFrame) -> pl.LazyFrame:
    """Let the contract do it."""
    return orders


if __name__ == "__main__":
    run(transform)
'''
_CLICKS = '''\
"""Clicks, which do not depend on orders."""

import polars as pl

from polster_runtime import run


def extract() -> pl.DataFrame:
    """Return one click."""
    return pl.DataFrame({"id": [1]})


if __name__ == "__main__":
    run(extract)
'''
ALL_DATA = ["bronze/clicks", "bronze/orders", "silver/orders"]
"""What a run of all assets keeps."""
PROTECTED = """#!/bin/sh
[ "$1" != refs/heads/main ] || { echo "GH006: protected branch" >&2; exit 1; }
"""
_BY_HAND = {
    ".github/workflows/polster.yml": "          ALERT_URLS: ${{ secrets.ALERT_URLS }}\n",
    "azure-pipelines.yml": "ALERT_URLS: $(ALERT_URLS)\n",
}
"""The lines of secrets, to which a person adds one."""


@pytest.fixture(scope="session")
def npm_tools(shared: Path) -> Path:
    """Install what comes from npm."""
    with only_one(shared / "cicd-tools.lock"):
        return tools.installed()


@pytest.fixture(scope="session")
def machine_env(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the variables of the machine: its Python and its caches."""
    cache = subprocess.run(
        ["uv", "cache", "dir"], check=True, capture_output=True, encoding="utf-8"
    )
    environment = tmp_path_factory.mktemp("environment") / "venv"
    _uv("venv", "-q", "--python", sys.executable, str(environment), cwd=environment.parent)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "seldom.pth").write_text(SELDOM, encoding="utf-8")
    return {
        "UV_CACHE_DIR": cache.stdout.strip(),
        "UV_PROJECT_ENVIRONMENT": str(environment),
        "UV_PYTHON": sys.executable,
        "UV_TOOL_DIR": str(tmp_path_factory.mktemp("uv-tools")),
    }


@pytest.fixture(scope="session")
def shop_template(shared: Path) -> Path:
    """Return a bare repository to copy."""
    return _template(shared, "shop-repository")


@pytest.fixture(scope="session")
def lake_template(shared: Path) -> Path:
    """Return a bare repository whose data is in Azure, to copy."""
    account = ("--adls-account-name", emulator.ACCOUNT, "--adls-container", "pipelines")
    return _template(shared, "lake-repository", "--storage", "adls", *account)


def _pinned_polster(shared: Path) -> str:
    """Build a wheel of Polster; return what `[tool.polster] install` says of it."""
    wheels = shared / "polster-wheel"
    with only_one(shared / "polster-wheel.lock"):
        if not wheels.exists():
            root = Path(__file__).parents[2]
            _uv("build", "-q", "--wheel", "--out-dir", str(wheels), str(root), cwd=root)
    (wheel,) = wheels.glob("*.whl")
    return f"{wheel.as_uri()}#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}"


MakeOrigin = Callable[..., Path]


@pytest.fixture
def shop(tmp_path: Path, shop_template: Path) -> MakeOrigin:
    """Make a bare repository whose main is protected; `files` are on top of it, on `branch`."""
    return _maker(tmp_path, shop_template)


@pytest.fixture
def lake(tmp_path: Path, lake_template: Path) -> MakeOrigin:
    """Make a bare repository whose data is in Azure."""
    return _maker(tmp_path, lake_template)


def _maker(tmp_path: Path, template: Path) -> MakeOrigin:
    def make(files: Mapping[str, str] | None = None, *, branch: str = "main") -> Path:
        origin = tmp_path / "origin.git"
        shutil.copytree(template, origin)
        if files or branch != "main":
            push(origin, files or {}, branch=branch, folder=tmp_path / "person")
        hook = origin / "hooks" / "update"
        hook.write_text(PROTECTED, encoding="utf-8")
        hook.chmod(0o755)
        return origin

    return make


def push(origin: Path, files: Mapping[str, str], *, branch: str, folder: Path) -> None:
    """Commit files as a person does."""
    git("clone", "-q", origin, folder, cwd=origin)
    git("switch", "-q", "-C", branch, cwd=folder)
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")
    git("add", "--all", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "change", cwd=folder)
    git("push", "-q", "origin", branch, cwd=folder)


def _template(shared: Path, name: str, *options: str) -> Path:
    folder = shared / name
    with only_one(shared / f"{name}.lock"):
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            project = Generated(folder / "shop", Path(sys.executable))
            initialise(project.root, "--cicd", ALL, "--no-sample-assets", *options)
            for stem, code, deps in (
                ("bronze_clicks", _CLICKS, []),
                ("bronze_orders", _ORDERS, []),
                ("silver_orders", _CLEAN, ["bronze_orders"]),
            ):
                project.add(stem, "", deps)
                project.write({f"src/core/{stem}.py": code})
            _add_secret(project.root)
            pyproject = project.root / "pyproject.toml"
            text = pyproject.read_text(encoding="utf-8")
            install = f'[tool.polster]\ninstall = "{_pinned_polster(shared)}"'
            pyproject.write_text(text.replace("[tool.polster]", install), encoding="utf-8")
            _uv("lock", "-q", "--python", sys.executable, cwd=project.root)
            _publish(project.root, folder / "origin.git")
            (folder / "ready").touch()
    return folder / "origin.git"


def _add_secret(root: Path) -> None:
    """Map a secret of the team's own, as the guide says."""
    for path, line in _BY_HAND.items():
        text = (root / path).read_text(encoding="utf-8")
        assert line in text, path
        indent = text[text.rindex("\n", 0, text.index(line.strip())) + 1 : text.index(line.strip())]
        own = f"{indent}{line.strip().replace('ALERT_URLS', 'API_TOKEN')}\n"
        text = text.replace(f"{indent}{line.strip()}\n", f"{indent}{line.strip()}\n{own}")
        (root / path).write_text(text, encoding="utf-8")


def _publish(root: Path, origin: Path) -> None:
    git("init", "-q", "-b", "main", cwd=root)
    git("add", "--all", cwd=root)
    git("commit", "-q", "-m", "start", cwd=root)
    git("clone", "-q", "--bare", root, origin, cwd=root)
    git("config", "receive.advertisePushOptions", "true", cwd=origin)


def _uv(*args: str, cwd: Path) -> None:
    done = execute(["uv", *args], cwd=cwd, env=os.environ)
    assert done.returncode == 0, told(done)
