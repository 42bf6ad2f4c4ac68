"""Two plugins of strangers: installed, used, and gone again, while the projects go on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.examples.machine import PLUGINS, Machine
from tests.generated import warm
from tests.generated.conftest import also
from tests.generated.projects import Generated, told

LIBRARIES = ("psycopg[binary]>=3.2,<4", "s3fs>=2026.8")
"""What the plugins add to a project."""


@pytest.fixture(scope="module")
def python(runtime: Path) -> Path:
    """Return a Python with what a project with both plugins needs."""
    return also(runtime, "examples", *LIBRARIES)


@pytest.mark.slow
def test_from_installation_to_removal(tmp_path: Path, python: Path) -> None:
    """One fresh environment, one step after the other; a project with copies, and one without."""
    machine = Machine.build(tmp_path)
    assert traces(machine, tmp_path) == []
    machine.install()
    assert_all_is_offered(machine, tmp_path)
    warm.stand_in(tmp_path / "python", python, python)
    for plugin in PLUGINS:
        done = machine.tests(plugin, tmp_path / "python")
        assert done.returncode == 0, told(done)

    with machine.bucket() as bucket, machine.database() as database:
        shop = Generated(tmp_path / "shop", python)
        env = {**bucket, **database}
        made(machine, shop.root)
        assert (shop.root / "src" / "polster_s3" / "access.py").exists()
        assert_its_code_is_clean(shop)
        assert_it_runs(shop, env)
        assert traces(machine, shop.root) != []
        depends_on_them(machine, tmp_path, python, env)
        machine.pip("uninstall", "--yes", *PLUGINS)
        assert traces(machine, tmp_path) == []
        assert_nothing_is_offered(machine, tmp_path, shop)
        assert_it_runs(shop, env)


def depends_on_them(machine: Machine, folder: Path, python: Path, env: dict[str, str]) -> None:
    """Nothing is copied: its packages come from the wheels, and Polster is not among them."""
    root = folder / "store"
    made(machine, root, "--runtime", "package")
    assert not list((root / "src").glob("polster_*"))
    store = Generated(root, machine.install_project(root, python))
    look = "from importlib.metadata import distributions as all; print(*(d.name for d in all()))"
    installed = set(store.python("-c", look).stdout.split())
    assert {"polster-runtime", *PLUGINS} <= installed
    assert "polster" not in installed
    assert_its_code_is_clean(store)
    assert_it_runs(store, env)


def traces(machine: Machine, folder: Path) -> list[str]:
    """Return the lines of helps, prompts and lists that name a plugin or what it offers."""
    shown = [machine.polster(*args, cwd=folder).stdout for args in LOOKS]
    shown.append(machine.asked("init", "x", cwd=folder))
    lines = "\n".join(shown).splitlines()
    return [line for line in lines if re.search(r"\bs3\b|postgres", line, re.IGNORECASE)]


LOOKS = (
    ("--help",),
    ("init", "--help"),
    ("add-asset", "--help"),
    ("storage", "add", "--help"),
    ("plugins",),
    ("plugins", "--json"),
)


def assert_all_is_offered(machine: Machine, folder: Path) -> None:
    """Find them in helps, prompts and lists."""
    shown = machine.polster("init", "--help", cwd=folder).stdout
    assert re.search(r"--storage \[adls\|local\|s3\]", shown)
    assert "Options of --storage s3:\n  --s3-bucket TEXT" in shown
    shown = machine.polster("add-asset", "--help", cwd=folder).stdout
    assert "|postgres|" in shown.partition("--template [")[2].partition("]")[0].join("||")
    assert re.search(r"Options of --template [^:]*postgres:\n +--table TEXT", shown)
    assert "s3" in machine.asked("init", "x", cwd=folder)
    listed = json.loads(machine.polster("plugins", "--json", cwd=folder).stdout)["plugins"]
    found = {one["distribution"]: (one["status"], one["provides"]) for one in listed}
    assert found["polster-plugin-s3"] == ("active", ["storage s3"])
    assert found["polster-plugin-postgres"] == ("active", ["template postgres"])


def made(machine: Machine, root: Path, *options: str) -> None:
    """Make the project, and add an asset that reads PostgreSQL."""
    new = ("init", root.name, "--storage", "s3", "--s3-bucket", "lake", "--no-setup", "--no-git")
    done = machine.polster(*new, *options, cwd=root.parent)
    assert done.returncode == 0, told(done)
    assert (root / "docs" / "s3.md").exists()
    asset = ("--layer", "bronze", "--name", "orders", "--template", "postgres", "--cursor", "id")
    done = machine.polster("add-asset", *asset, cwd=root)
    assert done.returncode == 0, told(done)
    assert "create  docs/connectors/postgres-guide.md" in done.stdout
    pyproject = (root / "pyproject.toml").read_text("utf-8")
    assert all(library in pyproject for library in LIBRARIES)


def assert_its_code_is_clean(shop: Generated) -> None:
    """Check that what the plugins have written is as clean as all the rest."""
    for tool in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)):
        done = shop.tool(*tool)
        assert done.returncode == 0, told(done)


def assert_it_runs(shop: Generated, env: dict[str, str]) -> None:
    """All of it succeeds, in the bucket, with the rows of PostgreSQL."""
    outcome = shop.json(env=env)["assets"]
    assert {asset["status"] for asset in outcome} == {"succeeded"}
    where = f"lake/{shop.root.name}/data/"
    assert all(asset["path"].startswith(where) for asset in outcome)
    look = "from core.storage import read; print(read('bronze_orders').collect().height)"
    assert shop.python("-c", look, env=env).stdout == "3\n"


def assert_nothing_is_offered(machine: Machine, folder: Path, shop: Generated) -> None:
    """Whoever asks for them learns that they are not there; the project is sound."""
    done = machine.polster("init", "two", "--storage", "s3", cwd=folder)
    assert done.returncode == 2
    assert "s3" in done.stderr
    asset = ("--layer", "bronze", "--name", "more", "--template", "postgres")
    done = machine.polster("add-asset", *asset, cwd=shop.root)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no template postgres\n")
    done = machine.polster("validate", cwd=shop.root)
    assert (done.returncode, done.stdout) == (4, "no problems in 5 assets\n")
