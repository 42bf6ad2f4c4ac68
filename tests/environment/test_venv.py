"""Environments made by the real installers: uv, and venv with pip where there is no uv."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from polster_core.environment import requirements, venv
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
    show = "import core, pathlib\nprint(pathlib.Path(core.__file__).parent)\n"
    (root / "run_polster.py").write_text(show)
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
    assert done.stdout.startswith("  create  .venv  ")
    assert done.stdout.endswith(" s, uv)\n")
    assert (project / "uv.lock").is_file()
    assert works(project)


def run(project: Path, **env: str) -> str:
    """Return what `polster run` prints: the folder of `core`; or else what is wrong."""
    done = machine.polster("run", cwd=project, env=env)
    return done.stdout + done.stderr


def setup(project: Path, *args: str, **env: str) -> str:
    done = machine.polster("setup", *args, cwd=project, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_p1_copied_moved_and_behind_a_link(project: Path, tmp_path: Path) -> None:
    setup(project)
    assert run(project) == f"{project / 'src/core'}\n"
    link = tmp_path / "link"
    link.symlink_to(project)
    assert run(link, PWD=str(link)) == f"{project / 'src/core'}\n"
    copied, moved = tmp_path / "copied", tmp_path / "moved"
    shutil.copytree(project, copied, symlinks=True)
    hint = "hint: make one with  polster setup\n"
    made = f"error: .venv was made as {project / '.venv'}, and does not work as"
    assert run(copied) == f"{made} {copied / '.venv'}\n{hint}"
    setup(copied)
    active = {"VIRTUAL_ENV": str(project / ".venv")}
    assert run(copied, **active) == f"{copied / 'src/core'}\n"
    copied.rename(moved)
    assert "error: .venv was made as" in run(moved)
    (moved / ".venv/bin/activate").unlink()
    assert run(moved) == f"error: .venv holds the project {copied}, not {moved}\n{hint}"
    setup(moved)
    assert run(moved) == f"{moved / 'src/core'}\n"


def test_p12_polster_and_pip_are_in_the_environment(project: Path) -> None:
    setup(project)
    programs = project / ".venv/bin"
    assert machine.run([programs / "python", "-m", "pip", "--version"]).returncode == 0
    done = machine.run([programs / "polster", "run"], cwd=project, env={"PATH": "/usr/bin:/bin"})
    assert (done.returncode, done.stdout) == (0, f"{project / 'src/core'}\n")
    (programs / "polster").write_text("#!/bin/sh\necho of its own\n")
    setup(project)
    assert "of its own" in (programs / "polster").read_text()


def test_p4_a_member_of_a_workspace_and_an_environment_elsewhere(
    project: Path, tmp_path: Path
) -> None:
    workspace = '[tool.uv.workspace]\nmembers = ["projects/*"]\n'
    (tmp_path / "pyproject.toml").write_text(workspace)
    member = tmp_path / "projects/tiny"
    member.parent.mkdir()
    project.rename(member)
    assert f"create  {tmp_path / '.venv'}  " in setup(member)
    assert not (member / ".venv").exists()
    assert run(member) == f"{member / 'src/core'}\n"
    elsewhere = {"UV_PROJECT_ENVIRONMENT": str(tmp_path / "elsewhere")}
    assert run(member, **elsewhere).startswith(f"error: there is no {tmp_path / 'elsewhere'}\n")
    setup(member, **elsewhere)
    assert run(member, **elsewhere) == f"{member / 'src/core'}\n"


def test_p4_the_active_environment_counts_when_it_holds_the_project(
    project: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "active"
    assert machine.run([*UV, "venv", "--quiet", "--python", sys.executable, venv]).returncode == 0
    active = {"VIRTUAL_ENV": "", "CONDA_PREFIX": str(venv)}
    assert run(project, **active).startswith("error: there is no .venv\n")
    python = str(venv / "bin/python")
    install = [*UV, "pip", "install", "--quiet", "--python", python, "-e", str(project)]
    assert machine.run(install).returncode == 0
    for variables in (active, {"VIRTUAL_ENV": str(venv), "CONDA_PREFIX": ""}):
        assert run(project, **variables) == f"{project / 'src/core'}\n"
    # Somebody else has added a dependency.
    text = PYPROJECT.replace("dependencies = []", 'dependencies = ["iniconfig>=2"]')
    (project / "pyproject.toml").write_text(text)
    lacks = f"{venv} lacks iniconfig>=2, which pyproject.toml asks for"
    assert f"warning: {lacks}; install it:  polster setup\n" in run(project, **active)
    assert f"create  {venv}  " in setup(project, **active)
    assert run(project, **active) == f"{project / 'src/core'}\n"
    done = machine.polster("setup", "--force", cwd=project, env=active)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {venv} is the environment in use here, and is not rec")
    assert not (project / ".venv").exists()


def test_p10_dev_may_be_a_group_of_dependencies(project: Path) -> None:
    groups = '[dependency-groups]\nbase = ["iniconfig"]\ndev = [{include-group = "base"}]\n'
    text = PYPROJECT.replace('[project.optional-dependencies]\ndev = ["iniconfig"]\n', groups)
    assert text != PYPROJECT
    (project / "pyproject.toml").write_text(text)
    assert requirements.dev_group(project) == ["iniconfig"]
    setup(project)
    assert works(project)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("packages/a", True), ("packages/b/c", False), ("packages/old", False), ("deep/x/y", True)],
)
def test_members_of_a_workspace(tmp_path: Path, path: str, *, expected: bool) -> None:
    table = 'members = ["packages/*", "deep/**"]\nexclude = ["packages/old"]'
    (tmp_path / "pyproject.toml").write_text(f"[tool.uv.workspace]\n{table}\n")
    found = requirements.workspace_of(tmp_path / path)
    assert found == (tmp_path if expected else None)


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
    text = PYPROJECT.replace("[project.optional-dependencies]", "[dependency-groups]")
    (project / "pyproject.toml").write_text(text)
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


def test_p4_in_a_container_it_is_the_python_that_runs_polster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody activates anything there; an environment of the project's own comes first."""
    root, prefix = tmp_path / "shop", tmp_path / "usr"
    info = prefix / "lib/python3.11/site-packages/shop-0.1.dist-info"
    for folder in (root, info):
        folder.mkdir(parents=True)
    noted = {"url": root.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(noted))
    monkeypatch.setattr(sys, "prefix", str(prefix))
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PROJECT_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    assert venv.folder(root) == prefix
    (root / ".venv").mkdir()
    assert venv.folder(root) == root / ".venv"
