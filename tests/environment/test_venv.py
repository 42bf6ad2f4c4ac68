"""Environments made by the real installers: uv, and venv with pip where there is no uv."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import machine

ROOT = Path(__file__).parents[2]
PYPROJECT = """
[project]
name = "tiny"
version = "0.1.0"
requires-python = ">=3.11,<3.14"
dependencies = []

[project.optional-dependencies]
dev = ["iniconfig"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["src/core"]

[tool.polster]
"""
UV = (sys.executable, "-m", "uv")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that is quick to install."""
    root = tmp_path / "tiny"
    (root / "src/core").mkdir(parents=True)
    (root / "src/core/__init__.py").write_text("")
    (root / "pyproject.toml").write_text(PYPROJECT)
    return root


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return an environment with Polster and without uv and pip."""
    venv = tmp_path / "bare"
    commands: list[list[str | Path]] = [
        [*UV, "venv", "--quiet", "--python", sys.executable, venv],
        [*UV, "pip", "install", "--quiet", "--python", venv / "bin/python", ROOT],
    ]
    for command in commands:
        done = machine.run(command)
        assert done.returncode == 0, done.stderr
    return venv


@pytest.fixture
def no_uv(tmp_path: Path) -> Mapping[str, str]:
    """Return a PATH with the shell's own programs and without uv."""
    folder = tmp_path / "path"
    folder.mkdir()
    for name in ("sh", "env", "git"):
        (folder / name).symlink_to(shutil.which(name) or "")
    return {"PATH": str(folder)}


def works(project: Path) -> bool:
    code = "import core, iniconfig, sys; print(core.__file__)"
    done = machine.run([project / ".venv/bin/python", "-c", code], env={"PYTHONPATH": ""})
    return done.stdout == f"{project / 'src/core/__init__.py'}\n"


@pytest.mark.slow
def test_uv(project: Path) -> None:
    uv = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = machine.polster("setup", cwd=project, env=uv)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("  create  .venv  2 packages (")
    assert done.stdout.endswith(" s, uv)\n")
    assert (project / "uv.lock").is_file()
    assert works(project)


@pytest.mark.slow
def test_v4_a_package_without_its_folder_is_installed_again(project: Path) -> None:
    machine.polster("setup", cwd=project)
    (folder,) = project.glob(".venv/lib/python3.*/site-packages/iniconfig")
    shutil.rmtree(folder)
    done = machine.polster("setup", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(folder.glob("*.py"))


def test_pip_where_there_is_no_uv(project: Path, bare: Path, no_uv: Mapping[str, str]) -> None:
    def setup(*args: str) -> str:
        done = machine.run([bare / "bin/polster", "setup", *args], cwd=project, env=no_uv)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert setup().endswith(" s, pip)\n")
    assert works(project)
    # An installer that was killed between the steps: the environment is there, its pip is not.
    (site,) = (project / ".venv/lib").glob("python3.*/site-packages")
    shutil.rmtree(site / "pip")
    shutil.rmtree(site / "iniconfig")
    shutil.rmtree(next(site.glob("iniconfig-*.dist-info")))
    assert setup().endswith(" s, pip)\n")
    assert works(project)


@pytest.mark.slow
def test_uv_comes_from_the_index_with_pip(
    project: Path, bare: Path, no_uv: Mapping[str, str]
) -> None:
    polster: list[str | Path] = [bare / "bin/polster", "setup", "--install-uv"]
    done = machine.run(polster, cwd=project, env=no_uv)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: uv cannot be installed: {bare / 'bin/python'} has no pip\n"
        "hint: install it another way:  pipx install uv\n"
    )
    add: list[str | Path] = [*UV, "pip", "install", "--quiet", "--python", bare / "bin/python"]
    assert machine.run([*add, "pip"]).returncode == 0

    done = machine.run(polster, cwd=project, env=no_uv)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "  install  uv, beside python"
    assert second.endswith(" s, uv)")
    assert works(project)


@pytest.mark.slow
def test_a_python_of_the_operating_system_is_left_alone(
    project: Path, bare: Path, no_uv: Mapping[str, str], tmp_path: Path
) -> None:
    """A stand-in for pip says what Debian's says (PEP 668)."""
    (tmp_path / "fake/pip").mkdir(parents=True)
    (tmp_path / "fake/pip/__main__.py").write_text(
        "print('error: externally-managed-environment')\nraise SystemExit(1)\n"
    )
    done = machine.run(
        [bare / "bin/polster", "setup", "--install-uv"],
        cwd=project,
        env={**no_uv, "PYTHONPATH": str(tmp_path / "fake")},
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"error: uv cannot be installed: {bare / 'bin/python'} belongs to the operating system\n"
        "hint: install it another way:  pipx install uv\n"
    )
    assert not (project / ".venv").exists()
