"""Which project this is, and whether the code that runs is its own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from polster_runtime.errors import SettingsError

KEY_PREFIX = re.compile(r"(?!(?:bronze|silver|gold)$)[A-Za-z][A-Za-z0-9_-]*")
"""A layer is none: silver/orders names an asset."""


def project_root() -> Path:
    """The folder whose pyproject.toml has `[tool.polster]`.

    PROJECT_ROOT names it, or it is found upward from the running file, from the working
    directory, or from this package. Raises SettingsError when there is none, and when this Python
    would import the code of another project: a copy must not work with the code of its original.
    """
    if (served := _working_directory_of_server()) and _is_project(served):
        # What has started this code server may be of another project: all below is of this one.
        os.environ["PROJECT_ROOT"] = str(served)
    named = os.environ.get("PROJECT_ROOT")
    return _with_own_code(Path(named).resolve() if named else _found())


def pyproject() -> dict[str, Any]:
    """The project's pyproject.toml; empty where there is none. Raises SettingsError."""
    return _parsed(project_root() / "pyproject.toml")


def project_name() -> str:
    """The name of the project, as it was typed when the project was made. Raises SettingsError."""
    parsed = pyproject()
    named = parsed.get("tool", {}).get("polster", {}).get("name")
    return str(named or parsed.get("project", {}).get("name") or project_root().name)


def workspace() -> Path | None:
    """The workspace.yaml of several projects that this is one of: `[tool.polster] workspace`.

    None where it names none, or that is not here: then this project stands alone.
    """
    named = pyproject().get("tool", {}).get("polster", {}).get("workspace")
    file = project_root() / str(named)
    return file.resolve() if named and file.is_file() else None


@cache
def key_prefix() -> str:
    """What the keys of this project's assets begin with in Dagster; "" for nothing.

    Raises SettingsError for one that no key can begin with.
    """
    given = pyproject().get("tool", {}).get("polster", {}).get("key-prefix", "")
    if given == "" or (isinstance(given, str) and KEY_PREFIX.fullmatch(given)):
        return str(given)
    raise SettingsError(
        f"pyproject.toml: [tool.polster] key-prefix = {given!r} must be a word such as lake: "
        "letters, digits, - and _, and no layer"
    )


@cache
def package() -> str:
    """The package that has `core` and `orchestration` in it; "" where they lie in `src` itself.

    Raises SettingsError.
    """
    return _package_of(project_root())


def module(name: str) -> str:
    """The import name of a module that is usually called `core...` or `orchestration...`."""
    return f"{package()}.{name}" if package() else name


def _package_of(root: Path) -> str:
    tool = _parsed(root / "pyproject.toml").get("tool", {})
    return str(tool.get("polster", {}).get("package", ""))


@cache
def _found() -> Path:
    for start in _starts():
        for folder in (start, *start.parents):
            if _is_project(folder):
                return folder
    raise SettingsError(
        f"there is no Polster project in {Path.cwd()} or above it; go into the folder of one, "
        "or set PROJECT_ROOT"
    )


def is_started_by_dagster() -> bool:
    """Whether this is a process of Dagster's own, such as a code server: `python -m dagster`."""
    return Path(sys.argv[0]).parent.name == "dagster"


def _is_project(folder: Path) -> bool:
    return "polster" in _parsed(folder / "pyproject.toml").get("tool", {})


def _starts() -> Iterator[Path]:
    running = getattr(sys.modules.get("__main__"), "__file__", None)
    if running and not _is_tool(Path(running).absolute()):
        yield Path(running).resolve().parent
    yield Path.cwd()
    yield Path(__file__).resolve().parent


def _is_tool(running: Path) -> bool:
    """Whether a program is one of the environment, or of this package: they serve any project."""
    is_installed = "site-packages" in running.parts or running.parent == Path(sys.executable).parent
    return is_installed or running.resolve().is_relative_to(Path(__file__).resolve().parents[1])


def _working_directory_of_server() -> Path | None:
    """The `working_directory` of workspace.yaml, which a code server of Dagster is started with."""
    for option, folder in zip(sys.argv, sys.argv[1:], strict=False):
        if option in {"-d", "--working-directory"} and is_started_by_dagster():
            return Path(folder).resolve()
    return None


@cache
def _with_own_code(root: Path) -> Path:
    """The same folder, unless its code or this package is imported from another project."""
    own = _package_of(root) or "core"
    found = [*_imported(own)] if (root / "src" / own).is_dir() else []
    if _is_project(held := Path(__file__).resolve().parents[3]):
        found.append(held / "src" / "polster_runtime")
    for folder in found:
        if not _is_same(root / "src" / folder.name, folder):
            is_copy = "site-packages" in folder.parts  # of this project or another: who knows
            todo = "and use the .venv that it makes" if not is_copy else "or  pip install -e ."
            raise SettingsError(
                f"this project is {root}, but its Python ({sys.prefix}) would run {folder}; "
                f"run  polster setup  here, {todo}"
            )
    return root


def _imported(name: str) -> list[Path]:
    """The folders of a package, which need not be imported yet; none if there is none."""
    try:
        spec = find_spec(name)
    except ValueError:  # a stand-in that a test has put there
        return []
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]


def _is_same(folder: Path, other: Path) -> bool:
    try:
        return folder.samefile(other)
    except OSError:
        return False


@cache
def _parsed(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None
