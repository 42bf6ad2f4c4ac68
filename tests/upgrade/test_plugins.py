"""What plugins of others wrote is looked after as Polster's own is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from polster_core.plugins import installed
from polster_core.project import manifest
from polster_core.testing.projects import polster
from tests.conftest import Install

PLUGIN = """
from pathlib import PurePosixPath
from polster_core.hookspecs import hookimpl
from polster_core.types import AssetTemplate, NewFile, Option, RuntimePart, StorageBackend

def of_an_asset(context):
    yield NewFile(path=PurePosixPath("docs/box.md"), text="TEXT\\n")
    name = context.asset.name
    yield NewFile(path=PurePosixPath(f"sql/{{name}}.sql"), text="-- TEXT\\n")

def of_storage(context):
    yield NewFile(path=PurePosixPath("docs/box-storage.md"), text="TEXT\\n")

@hookimpl
def polster_asset_templates():
    yield AssetTemplate(
        name="box", summary="A box.", layers=("bronze",), requirements=("boxlib>=BOUND",),
        options=(Option(name="box", help="Which.", required=True),), files=of_an_asset,
    )

@hookimpl
def polster_storage_backends():
    part = RuntimePart(package="polster_runtime.storage.backends.adls", storage="box")
    yield StorageBackend(name="box", summary="A box.", runtime=(part,), files=of_storage)
""".replace("{{name}}", "{name}")
Plug = Callable[[str, str, str], None]


@pytest.fixture
def plug(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plug]:
    """Install a version of the plugin, in the place of any other."""
    own, added = [*installed._found()], list[EntryPoint]()

    def version(number: str, text: str, bound: str) -> None:
        for old in (tmp_path / "site").glob("polster-plugin-box/*"):
            for file in [old] if old.is_file() else [*old.iterdir()]:
                file.unlink()
            if old.is_dir():
                old.rmdir()
        if (tmp_path / "site/polster-plugin-box").exists():
            (tmp_path / "site/polster-plugin-box").rmdir()
        sys.modules.pop("polster_plugin_box", None)
        source = PLUGIN.replace("TEXT", text).replace("BOUND", bound)
        added[:] = install("polster-plugin-box", source, version=number, entry="box")

    monkeypatch.setattr(installed, "_found", lambda: [*own, *added])
    yield version
    installed.installed.cache_clear()


@pytest.fixture
def shop(tmp_path: Path, plug: Plug) -> Path:
    """Return a project in which a template of the plugin was used twice, and its storage added."""
    plug("1.0", "old", "1")
    flags = ("--no-setup", "--no-git", "--no-sample-assets")
    polster(tmp_path, "init", "shop", *flags).succeeded()
    for name in ("one", "two"):
        add = ("add-asset", "--layer", "bronze", "--name", name, "--template", "box")
        polster(tmp_path / "shop", *add, "--box", name).succeeded()
    polster(tmp_path / "shop", "storage", "add", "box").succeeded()
    return tmp_path / "shop"


def test_what_it_wrote_is_recorded(shop: Path) -> None:
    known = manifest.load(shop)
    assert known.plugins["box"] == "polster-plugin-box 1.0"
    recorded = {str(path) for path, entry in known.files.items() if entry.origin == "box"}
    assert {path for path in recorded if not path.startswith("src/polster_runtime/")} == {
        "docs/box.md",
        "docs/box-storage.md",
        "sql/one.sql",
        "sql/two.sql",
    }
    assert polster(shop, "upgrade", "--check").code == 0


def test_a_new_version_of_it_reaches_the_project(shop: Path, plug: Plug) -> None:
    (shop / "docs/box-storage.md").write_text("old\nours\n")
    plug("1.1", "new", "1")
    done = json.loads(polster(shop, "upgrade", "--json").succeeded().out)
    assert done["plugins"] == {"box": {"from": "1.0", "to": "1.1"}}
    found = {one["path"]: one["verdict"] for one in done["files"]}
    assert found.pop("pyproject.toml") == "yours"
    assert found == {
        "docs/box.md": "updated",
        "docs/box-storage.md": "conflict",
        "sql/one.sql": "updated",
    }
    assert (shop / "docs/box.md").read_text() == "new\n"
    assert (shop / "docs/box-storage.md.polster-new").read_text() == "new\n"
    assert (shop / "sql/two.sql").read_text() == "-- old\n", "which belongs to one asset alone"
    assert manifest.load(shop).plugins["box"] == "polster-plugin-box 1.1"
    assert polster(shop, "upgrade", "--check").code == 0


def test_a_new_bound_reaches_the_project(shop: Path, plug: Plug) -> None:
    assert '"boxlib>=1"' in (shop / "pyproject.toml").read_text()
    plug("1.1", "old", "2")
    polster(shop, "upgrade").succeeded()
    assert '"boxlib>=2"' in (shop / "pyproject.toml").read_text()


def test_a_bound_of_the_team_stays(shop: Path, plug: Plug) -> None:
    text = (shop / "pyproject.toml").read_text()
    (shop / "pyproject.toml").write_text(text.replace("boxlib>=1", "boxlib==1.5"))
    plug("1.1", "old", "2")
    done = json.loads(polster(shop, "upgrade", "--json").succeeded().out)
    (found,) = [one for one in done["files"] if one["path"] == "pyproject.toml"]
    assert found["verdict"] == "conflict"
    assert 'project.dependencies.boxlib: Polster has  "boxlib>=2"' in found["note"]
    assert '"boxlib==1.5"' in (shop / "pyproject.toml").read_text()


def test_an_older_version_of_it_is_refused(shop: Path, plug: Plug) -> None:
    plug("0.9", "older", "1")
    done = polster(shop, "upgrade")
    assert done.code == 4
    assert "polster-plugin-box 1.0 has written a part of this project, and 0.9 is" in done.err
