"""Plugins of strangers, built and installed with pip beside Polster, as a user would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import machine
from tests.conftest import names

ROOT = Path(__file__).parents[2]
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.2"
dependencies = ["polster"]

[project.entry-points.polster]
{entry} = "{module}"

[tool.hatch.build.targets.wheel]
packages = {packages}
"""
DISK = """
from pathlib import PurePosixPath

from polster_core.hookspecs import hookimpl
from polster_core.types import EnvVar, NewFile, Option, RuntimePart, StorageBackend


@hookimpl
def polster_storage_backends():
    yield StorageBackend(
        name="disk",
        summary="another disk",
        env=(EnvVar(name="DISK_ROOT", help="The folder on the other disk."),),
        options=(Option(name="root", help="The folder.", required=True, env="DISK_ROOT"),),
        requirements=("humanize>=4",),
        runtime=(
            RuntimePart(
                package="polster_disk", requirement="polster-plugin-disk", storage="disk"
            ),
        ),
    )


@hookimpl
def polster_init_options():
    yield Option(name="team", help="Who owns the project.", default="data")


@hookimpl
def polster_project_files(context):
    yield NewFile(path=PurePosixPath("OWNERS"), text=context.answers["team"] + "\\n")
"""
BACKEND = '''"""STORAGE_BACKEND=disk: a folder somewhere else."""

import os

import humanize  # noqa: F401 - what the plugin requires is installed
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.storage.store import Store


def connect() -> Store:
    """The store on the other disk."""
    return Store(LocalFileSystem(auto_mkdir=True), os.environ["DISK_ROOT"])
'''
BROKEN = "import a_library_that_is_not_installed"
SIGNATURE = """
from polster_core.hookspecs import hookimpl

@hookimpl
def polster_init_options(project, terminal):
    return []
"""
CLASH = """
from polster_core.hookspecs import hookimpl
from polster_core.types import RuntimePart, StorageBackend

@hookimpl
def polster_storage_backends():
    part = RuntimePart(package="polster_runtime.storage.backends.adls", storage="local")
    yield StorageBackend(name="local", summary="mine is better", runtime=(part,))
"""
PLUGINS = {
    ("polster-plugin-disk", "disk"): DISK,
    ("polster-plugin-broken", "storage-s3"): BROKEN,
    ("polster-plugin-signature", "signature"): SIGNATURE,
    ("polster-plugin-clash", "better-local"): CLASH,
}
WARNINGS = (
    (
        "warning: plugin better-local (polster-plugin-clash 0.2): "
        "storage local is offered by polster {version}, too"
    ),
    (
        "warning: plugin signature (polster-plugin-signature 0.2): "
        "polster_init_options() is given no project, terminal"
    ),
    (
        "warning: plugin storage-s3 (polster-plugin-broken 0.2): "
        "ModuleNotFoundError: No module named 'a_library_that_is_not_installed'"
    ),
)


def distribution(folder: Path, name: str, entry: str, source: str) -> Path:
    """Lay out a distribution that somebody else might have written."""
    module = name.replace("-", "_")
    packages = {module: source, **({"polster_disk": BACKEND} if entry == "disk" else {})}
    for package, text in packages.items():
        (folder / name / package).mkdir(parents=True)
        (folder / name / package / "__init__.py").write_text(text)
    pyproject = PYPROJECT.format(name=name, entry=entry, module=module, packages=[*packages])
    (folder / name / "pyproject.toml").write_text(pyproject)
    return folder / name


class Machine:
    """A fresh environment with Polster, installed with pip; uv is not in it."""

    def __init__(self, folder: Path) -> None:
        """Make the environment and install Polster and the plugins."""
        self.folder = folder
        self.venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", self.venv], check=True)
        sources = [distribution(folder, *names, source) for names, source in PLUGINS.items()]
        wheel: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        where: list[str | Path] = ["--no-build-isolation", "--wheel-dir", folder / "wheels"]
        subprocess.run([*wheel, *where, ROOT, *sources], check=True)
        self.pip("install", *sorted((folder / "wheels").glob("*.whl")))

    def pip(self, *args: str | Path) -> None:
        """Run the environment's pip."""
        subprocess.run([self.venv / "bin/python", "-m", "pip", "--quiet", *args], check=True)

    def polster(
        self, *args: str | Path, cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the environment's Polster."""
        return machine.run([self.venv / "bin/polster", *args], cwd=cwd, env=env)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Install once for all tests here."""
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def version() -> str:
    import polster_core

    return polster_core.__version__


def storages(shown: str) -> set[str]:
    """Return the choices of --storage in a help text."""
    found = re.search(r"--storage \[(.*?)\]", shown)
    assert found is not None
    return set(found[1].split("|"))


@pytest.mark.slow
def test_each_is_listed_with_what_is_wrong(
    installed: Machine, version: str, tmp_path: Path
) -> None:
    done = installed.polster("plugins", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in done.stdout.splitlines()}
    assert rows["NAME"] == "FROM STATUS PROVIDES"
    assert rows["disk"] == (
        "polster-plugin-disk 0.2 active storage disk, option team, project files"
    )
    assert rows["storage-local"].startswith(f"polster {version} active storage local")
    for warning in WARNINGS:
        name, _, problem = warning.removeprefix("warning: plugin ").partition(": ")
        name, _, source = name.partition(" ")
        wanted = f"{source.strip('()')} broken {problem}".format(version=version)
        assert rows[name] == wanted

    done = installed.polster("plugins", "--json", cwd=tmp_path)
    found = {plugin["name"]: plugin for plugin in json.loads(done.stdout)["plugins"]}
    assert found["disk"] == {
        "name": "disk",
        "distribution": "polster-plugin-disk",
        "version": "0.2",
        "status": "active",
        "problem": None,
        "provides": ["storage disk", "option team", "project files"],
        "notes": [],
        "hint": None,
    }
    assert found["storage-s3"]["status"] == "broken"
    done = installed.polster(
        "plugins", "--json", cwd=tmp_path, env={"POLSTER_DISABLE_PLUGINS": "disk,storage-s3"}
    )
    states = {plugin["name"]: plugin["status"] for plugin in json.loads(done.stdout)["plugins"]}
    assert (states["disk"], states["storage-s3"]) == ("disabled", "disabled")


@pytest.mark.slow
def test_choices_and_options_appear_in_help(installed: Machine, tmp_path: Path) -> None:
    done = installed.polster("init", "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert {"disk", "local"} <= storages(done.stdout)
    assert "--team TEXT" in done.stdout
    assert "Options of --storage disk:\n  --disk-root TEXT  The folder.  [required]" in done.stdout


@pytest.mark.slow
def test_the_broken_harm_nothing_and_are_errors_when_asked_for(
    installed: Machine, version: str, tmp_path: Path
) -> None:
    done = installed.polster("init", "shop", "--no-setup", "--no-git", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [line.format(version=version) for line in WARNINGS]
    assert (tmp_path / "shop/OWNERS").read_text() == "data\n"

    before = names(tmp_path)
    done = installed.polster("init", "two", "--storage", "s3", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "error: storage s3: the plugin storage-s3 (polster-plugin-broken 0.2) is not used: "
        "ModuleNotFoundError: No module named 'a_library_that_is_not_installed'\n"
        "hint: see  polster plugins\n"
    )
    done = installed.polster("init", "two", "--storage", "disk", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: missing option `--disk-root`\nhint: see  polster init --help\n",
    )
    done = installed.polster("init", "two", "--disk-root", "x", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: --disk-root belongs to --storage disk\nhint: add  --storage disk\n",
    )
    assert names(tmp_path) == before


@pytest.mark.slow
def test_option_and_backend_work_and_the_project_outlives_them(
    installed: Machine, tmp_path: Path
) -> None:
    """The whole way: init with the plugin's choices, run, uninstall it all, run again."""
    disk = tmp_path / "disk"
    chosen = ("--storage", "disk", "--disk-root", disk, "--team", "ada", "--no-git")
    uv = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = installed.polster("init", "shop", *chosen, cwd=tmp_path, env=uv)
    assert done.returncode == 0, done.stderr
    root = tmp_path / "shop"
    assert (root / "OWNERS").read_text() == "ada\n"
    assert f"DISK_ROOT={disk}" in (root / ".env").read_text()

    done = installed.polster("run", cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(disk.glob("gold/example/*.parquet"))
    assert not list(root.glob("data/**/*.parquet"))

    installed.pip("uninstall", "--yes", *(name for name, _ in PLUGINS))
    assert "disk" not in storages(installed.polster("init", "--help", cwd=tmp_path).stdout)
    installed.pip("uninstall", "--yes", "polster")
    assert not (installed.venv / "bin/polster").exists()
    status = machine.run([root / ".venv/bin/python", "run_polster.py", "--status"], cwd=root)
    assert status.returncode == 0
    again = machine.run([root / ".venv/bin/python", "run_polster.py"], cwd=root)
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(list(disk.glob("gold/example/*.parquet"))) == 2
