"""A plugin through its life, with real wheels: 0.1, a project, 0.2, uninstalled, reinstalled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import machine
from tests.plugins.test_life import ADD, PLUGIN

ROOT = Path(__file__).parents[2]
PYPROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "polster-plugin-box"
version = "{version}"
requires-python = ">=3.11"

[project.entry-points.polster]
box = "polster_plugin_box"

[tool.hatch.build.targets.wheel]
packages = ["polster_plugin_box", "polster_box"]
"""
INIT = ("init", "shop", "--no-setup", "--no-git", "--no-sample-assets")


def source(folder: Path, version: str, box: str) -> Path:
    """Lay out a version of the plugin."""
    files = {
        "pyproject.toml": PYPROJECT.format(version=version),
        "polster_plugin_box/__init__.py": PLUGIN.replace("VERSION", version),
        "polster_box/__init__.py": "def connect(): ...\n",
        "polster_box/reading.py": f'NAME = "{box}"\n',
    }
    for path, text in files.items():
        (folder / version / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / version / path).write_text(text, encoding="utf-8")
    return folder / version


class Desk:
    """An environment with Polster, and wheels of both versions."""

    def __init__(self, folder: Path) -> None:
        """Build the wheels, and install Polster with the older one."""
        self.python = folder / "venv/bin/python"
        self.wheels = folder / "wheels"
        self.shop = folder / "shop"
        sources = [ROOT, source(folder, "0.1", "box"), source(folder, "0.2", "crate")]
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        where = ["--no-build-isolation", "--wheel-dir", str(self.wheels)]
        for one in sources:
            subprocess.run([*build, *where, str(one)], check=True)
        uv = [sys.executable, "-m", "uv"]
        venv = ["venv", "--quiet", "-p", sys.executable, str(folder / "venv")]
        subprocess.run([*uv, *venv], check=True)
        self.install(*self.wheels.glob("polster-0*.whl"), self.wheel("0.1"))

    def wheel(self, version: str) -> Path:
        """Return the wheel of a version of the plugin."""
        return self.wheels / f"polster_plugin_box-{version}-py3-none-any.whl"

    def install(self, *what: Path) -> None:
        """Install wheels."""
        uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "-p", str(self.python)]
        subprocess.run([*uv, *map(str, what)], check=True)

    def uninstall(self) -> None:
        """Take the plugin away."""
        uv = [sys.executable, "-m", "uv", "pip", "uninstall", "--quiet", "-p", str(self.python)]
        subprocess.run([*uv, "polster-plugin-box"], check=True)

    def polster(
        self, *args: str, code: int = 0, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the installed Polster, which ends with a code."""
        done = machine.run([self.python.with_name("polster"), *args], cwd=cwd or self.shop)
        assert done.returncode == code, done.stdout + done.stderr
        return done


@pytest.mark.slow
def test_a_project_outlives_its_plugin(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.polster(*INIT, cwd=tmp_path)
    desk.polster(*ADD, "one")
    desk.polster("storage", "add", "box", "--box-size", "large")
    desk.polster("add-cicd", "mill", "--mill-pool", "fast")
    assert desk.polster("validate").stderr == ""

    desk.install(desk.wheel("0.2"))
    refused = desk.polster(*ADD, "two", code=1).stderr
    assert "was written by polster-plugin-box 0.1, and polster-plugin-box 0.2" in refused
    desk.polster("upgrade", "--check", code=3)
    told = desk.polster("upgrade").stdout
    assert "0.1 -> 0.2" in told or "0.2" in told
    assert (desk.shop / "src/polster_box/reading.py").read_text() == 'NAME = "crate"\n'
    assert (desk.shop / "docs/topic.md").read_text() == "0.2\n"
    desk.polster(*ADD, "two")

    desk.uninstall()
    assert "polster-plugin-box is not installed" in desk.polster("list-assets").stderr
    desk.polster("validate", code=4)
    before = (desk.shop / "mill.txt").read_bytes()
    desk.polster("upgrade", code=4)
    desk.polster("add-cicd", "github-actions", code=4)
    assert (desk.shop / "mill.txt").read_bytes() == before

    desk.install(desk.wheel("0.2"))
    assert desk.polster("validate").stderr == ""
    desk.polster("add-cicd", "github-actions")
    assert "nothing to do" in desk.polster("upgrade").stdout
