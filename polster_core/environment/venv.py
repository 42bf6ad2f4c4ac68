"""Which Python environment is a project's own, and whether it can be used.

That is the active one (`VIRTUAL_ENV`, `CONDA_PREFIX`) if the project is installed in it, editable;
else the one that uv makes: `UV_PROJECT_ENVIRONMENT`, or `.venv` of the project or of the workspace
that it is a member of. Where that is not there, it is the Python that runs Polster, as in a
container, if the project is installed in it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from polster_core.environment import installed, process, requirements
from polster_core.environment.process import Listener
from polster_core.errors import PolsterError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

PYTHONS = ((3, 11), (3, 12), (3, 13))
"""The versions that generated projects are tested with; their pyproject.toml says the same."""
EXE = ".exe" if sys.platform == "win32" else ""
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
_MADE_FOR = re.compile(r"""^\s*(?:export )?VIRTUAL_ENV=(["']?)([^"'$\n]+)\1\s*$""", re.MULTILINE)


def folder(root: Path) -> Path:
    """Return where a project's environment is, whether or not it is there."""
    usual = made_by_uv(root)
    for name in _ACTIVE:
        active = os.environ.get(name)
        if active and Path(active) != usual and installed.holds(Path(active), root):
            return Path(active)
    if not usual.exists() and installed.holds(Path(sys.prefix), root):
        return Path(sys.prefix)
    return usual


def made_by_uv(root: Path) -> Path:
    """Return where `uv sync` makes a project's environment, and so does Polster."""
    named = os.environ.get("UV_PROJECT_ENVIRONMENT")
    return (requirements.workspace_of(root) or root) / (named or ".venv")


def shown(root: Path) -> str:
    """Return the environment's folder as messages name it: `.venv`, or its whole path."""
    found = folder(root)
    return str(found.relative_to(root)) if found.is_relative_to(root) else str(found)


def python(root: Path) -> Path:
    """Return the Python of a project's environment, whether or not it is there."""
    environment = folder(root)
    found = process.scripts(environment) / f"python{EXE}"
    at_top = environment / f"python{EXE}"  # as conda has it on Windows
    return at_top if at_top.is_file() and not found.is_file() else found


def retry(root: Path) -> str:
    """Return the command that makes the environment, to be typed where we are."""
    here = Path.cwd()
    return (
        "polster setup"
        if here.is_relative_to(root)
        else f"cd {os.path.relpath(root)} && polster setup"
    )


def problem(root: Path) -> str | None:
    """Say why the environment cannot be used; `None` if it can."""
    return broken(root) or of_another(root)


def broken(root: Path) -> str | None:
    """Say why only a new environment would help; `None` if this one can stay."""
    if missing := _missing(root) or _moved(root):
        return missing
    name = shown(root)
    try:
        done = process.run(
            [python(root), "-c", "import sys; print(*sys.version_info[:2])"], cwd=root
        )
    except PolsterError as error:
        return f"{name}: {error.reason}"
    version = done.lines[-1].split() if done.code == 0 and done.lines else []
    if tuple(map(int, version)) not in PYTHONS:
        return (
            f"{name} has Python {'.'.join(version)}" if version else f"{name} has a broken Python"
        )
    return None


def mismatch(root: Path) -> str | None:
    """Say what `problem` says, as far as files tell it: no Python is started."""
    return _missing(root) or _moved(root) or of_another(root)


def of_another(root: Path) -> str | None:
    """Say which other project is installed in the environment where this one is not."""
    found = installed.editable(folder(root))
    others = [one for one in found if not one.exists() or requirements.is_of_polster(one)]
    if not others or installed.holds(folder(root), root):
        return None
    return f"{shown(root)} holds the project {others[0]}, not {root}"


def lacking(root: Path) -> list[str]:
    """Return what the project depends on that is not installed in the version it asks for.

    Nothing where the environment has neither the project nor any of it: then it finds all of it
    elsewhere, as one does that shares the packages of the system.
    """
    environment = folder(root)
    asked = requirements.of(root, python=installed.python_version(environment))
    found = dict(line.split(" ") for line in installed.versions(environment, asked))
    knows = bool(found) or installed.holds(environment, root)
    if not knows or installed.shares_the_system(environment):
        return []
    return [
        f"{name}{specifier}"
        for name, specifier in asked.items()
        if name not in found or not _is_in(found[name], specifier)
    ]


def _is_in(version: str, specifier: SpecifierSet) -> bool:
    """Whether a version is one of those; one that is none of PEP 440 is not judged."""
    from packaging.version import InvalidVersion

    try:
        return specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True


def _missing(root: Path) -> str | None:
    if not folder(root).exists():
        return f"there is no {shown(root)}"
    return None if python(root).exists() else f"{shown(root)} has no Python that exists"


def _moved(root: Path) -> str | None:
    """Say that the environment was made in another place: its programs still mean that one."""
    environment = folder(root)
    try:
        text = (process.scripts(environment) / "activate").read_text("utf-8", errors="replace")
    except OSError:
        return None
    made_for = _MADE_FOR.search(text)
    there = Path(made_for[2]) if made_for else environment
    if not there.is_absolute() or (there.exists() and there.samefile(environment)):
        return None
    return f"{shown(root)} was made as {there}, and does not work as {environment}"


def find_uv() -> Path | None:
    """Return uv, from PATH or from beside the Python that runs Polster."""
    if found := shutil.which("uv"):
        return Path(found)
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    beside = (Path(sysconfig.get_path("scripts", scheme), f"uv{EXE}") for scheme in schemes)
    return next((path for path in beside if path.is_file()), None)


def install_uv(listener: Listener | None = None) -> str:
    """Install uv with pip into the Python that runs Polster; return what was done.

    Raises PolsterError where that Python has no pip, or belongs to the system's package manager.
    """
    if find_uv():
        return "uv is there already"
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "uv"]
    done = process.run(command, cwd=Path.cwd(), env=os.environ, listener=listener)
    if done.code == 0 and find_uv():
        return f"uv, beside {Path(sys.executable).name}"
    output = "\n".join(done.lines)
    if "No module named pip" in output:
        reason = f"uv cannot be installed: {sys.executable} has no pip"
    elif "externally-managed-environment" in output:
        reason = f"uv cannot be installed: {sys.executable} belongs to the operating system"
    else:
        raise PolsterError(
            f"uv could not be installed ({done.ending})",
            details=done.last_lines(),
            hint="without uv, pip is used",
        )
    raise PolsterError(reason, hint="install it another way:  pipx install uv")
