"""However Polster and a plugin come to a machine, they find each other and work alike."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from polster_core.testing import polster, tree
from tests import machine

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Way:
    """A Polster that was installed somehow: how it is called."""

    command: tuple[str | Path, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run it, with nothing of the environment that runs the tests."""
        ours = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [*self.command, *args],
            check=False,
            cwd=cwd,
            env={**ours, **self.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )


class Workshop:
    """A plugin as it was generated, and both as wheels."""

    def __init__(self, folder: Path) -> None:
        """Write the plugin and build the wheels."""
        self.folder = folder
        polster(folder, "plugins", "new", "pack", "--kind", "storage", "--kind", "rule")
        self.source = folder / "polster-plugin-pack"
        self.wheels = folder / "wheels"
        for source in (ROOT, self.source):
            uv("build", "--quiet", "--wheel", "--out-dir", self.wheels, source)
        (self.polster,) = self.wheels.glob("polster-*.whl")
        (self.plugin,) = self.wheels.glob("polster_plugin_pack-*.whl")

    @property
    def index(self) -> dict[str, str]:
        """Variables with which uv and pip look for the wheels here."""
        here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {"UV_FIND_LINKS": str(self.wheels), "PIP_FIND_LINKS": str(self.wheels), "PATH": here}

    def venv(self, name: str, *requirements: str | Path) -> Path:
        """Make an environment and return its Python."""
        folder = self.folder / name
        uv("venv", "--quiet", "--python", sys.executable, folder)
        uv("pip", "install", "--quiet", "--python", folder, *requirements)
        return folder / "bin/python"


def uv(*args: str | Path, **env: str | Path) -> None:
    """Run uv."""
    done = machine.run(
        [sys.executable, "-m", "uv", *args], env={name: str(text) for name, text in env.items()}
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Build once for all tests here."""
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="module")
def expected(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the project that wheels in an environment write; the plugin came and went before."""
    python = workshop.venv("wheels-venv", workshop.polster)
    way, folder = Way((python.with_name("polster"),), workshop.index), tmp_path_factory.mktemp("x")
    installs(way, folder)
    uv("pip", "uninstall", "--quiet", "--python", python, "polster-plugin-pack")
    done = way.run("init", "gone", "--storage", "pack", "--no-setup", cwd=folder)
    assert (done.returncode, not (folder / "gone").exists()) == (2, True), done.stderr
    installs(way, folder)
    return works(way, folder)


def installs(way: Way, folder: Path) -> None:
    """Let Polster install the plugin beside itself, by its name."""
    done = way.run("plugins", "install", "polster-plugin-pack", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def works(way: Way, folder: Path) -> Mapping[str, str]:
    """See the plugin in list, help and project; return the project."""
    done = way.run("plugins", "--json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    found = {one["name"]: one for one in json.loads(done.stdout)["plugins"]}
    assert (found["pack"]["status"], found["pack"]["distribution"]) == (
        "active",
        "polster-plugin-pack",
    )
    assert {one["status"] for one in found.values()} == {"active"}
    assert "--pack-root TEXT" in way.run("init", "--help", cwd=folder).stdout
    chosen = ("--storage", "pack", "--pack-root", "/mnt/x", "--no-setup", "--no-git")
    done = way.run("init", "shop", *chosen, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    done = way.run("validate", cwd=folder / "shop")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return tree(folder / "shop")


def test_uv_tool_with(workshop: Workshop, expected: Mapping[str, str], tmp_path: Path) -> None:
    folders = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    uv("tool", "install", "--quiet", "--python", sys.executable, workshop.polster, **folders)
    (tmp_path / "work").mkdir()
    way = Way((tmp_path / "bin/polster",), {**folders, **workshop.index})
    installs(way, tmp_path)
    assert works(way, tmp_path / "work") == expected


def test_pipx_inject(workshop: Workshop, expected: Mapping[str, str], tmp_path: Path) -> None:
    env = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
    }
    pipx = Way((sys.executable, "-m", "pipx"), env)
    done = pipx.run("install", workshop.polster, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "work").mkdir()
    way = Way((tmp_path / "bin/polster",), {**env, **workshop.index})
    installs(way, tmp_path)
    assert works(way, tmp_path / "work") == expected


def test_editable(workshop: Workshop, expected: Mapping[str, str], tmp_path: Path) -> None:
    """What is changed in the source counts at once."""
    copied = shutil.copytree(workshop.source, tmp_path / "source")
    python = workshop.venv("editable-venv", "-e", ROOT, "-e", copied)
    (tmp_path / "work").mkdir()
    way = Way((python.with_name("polster"),))
    assert works(way, tmp_path / "work") == expected
    module = copied / "polster_plugin_pack/__init__.py"
    module.write_text(module.read_text().replace('summary="another folder"', 'summary="mine"'))
    assert " mine\n" in way.run("plugins", "show", "pack", cwd=tmp_path).stdout


def test_vendored(workshop: Workshop, expected: Mapping[str, str], tmp_path: Path) -> None:
    """`pip install --target`, and the folder on the path."""
    vendor = tmp_path / "vendor"
    uv("pip", "install", "--quiet", "--target", vendor, workshop.polster, workshop.plugin)
    bare = workshop.venv("bare-venv", "six")
    (tmp_path / "work").mkdir()
    way = Way((bare, "-m", "polster_core"), {"PYTHONPATH": str(vendor)})
    assert works(way, tmp_path / "work") == expected


def test_zipped(workshop: Workshop, expected: Mapping[str, str], tmp_path: Path) -> None:
    """Both in one archive; what has compiled parts cannot be in it."""
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for wheel in (workshop.polster, workshop.plugin):
            with zipfile.ZipFile(wheel) as opened:
                for name in opened.namelist():
                    packed.writestr(name, opened.read(name))
    libraries = ("click", "jinja2", "libcst", "packaging", "pluggy", "questionary", "tomlkit")
    python = workshop.venv("libraries-venv", *libraries)
    (tmp_path / "work").mkdir()
    way = Way((python, "-m", "polster_core"), {"PYTHONPATH": str(archive)})
    assert works(way, tmp_path / "work") == expected
