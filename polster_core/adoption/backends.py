"""Tell the build backend of a `pyproject.toml` about packages below `src/`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from polster_core.adoption.refusals import APART, Refusal

_WHEEL = ("tool", "hatch", "build", "targets", "wheel")
_HATCH, _SETUPTOOLS, _UV, _PDM, _POETRY = (
    "hatchling.build",
    "setuptools.build_meta",
    "uv_build",
    "pdm.backend",
    "poetry.core.masonry.api",
)
_SRC = "src"


def packages(wanted: Mapping[str, Any]) -> list[str]:
    """Return the folders of the packages that our `pyproject.toml` lists."""
    return list(_table(wanted, _WHEEL)["packages"])


def problems(found: Mapping[str, Any], root: Path) -> Iterator[Refusal]:
    """Say why the packages of a project cannot be built there."""
    if "build-system" not in found:
        return
    backend = _backend(found)
    if check := _CHECKS.get(backend):
        yield from check(found, root)
    else:
        name = backend.partition(".")[0] or "an unknown backend"
        yield _unknown(f"it is built with {name}, which takes no further packages from Polster")


def _of_uv(found: Mapping[str, Any], root: Path) -> Iterator[Refusal]:
    if _table(found, ("tool", "uv", "build-backend")).get("module-root", _SRC) != _SRC:
        yield _unknown("its uv_build takes modules from elsewhere than src/")
    elif not (root / _SRC / _module(found) / "__init__.py").is_file():
        yield _unknown("its uv_build has no module that could be found in src/")


def _of_pdm(found: Mapping[str, Any], root: Path) -> Iterator[Refusal]:
    if "includes" in _table(found, ("tool", "pdm", "build")) or not (root / _SRC).is_dir():
        yield _unknown("its pdm-backend does not take all packages of src/")


def _of_poetry(found: Mapping[str, Any], _: Path) -> Iterator[Refusal]:
    if "packages" not in _table(found, ("tool", "poetry")):
        yield _unknown("its poetry-core has no list [tool.poetry] packages")


def _of_hatch(found: Mapping[str, Any], root: Path) -> Iterator[Refusal]:
    build = _table(found, _WHEEL[:3])
    wheel = _table(found, _WHEEL)
    if "packages" in wheel:
        return
    choices = {"include", "only-include", "packages", "sources", "exclude", "force-include"}
    if choices & {*build, *wheel}:
        yield _unknown("its hatchling chooses files in a way that takes no further packages")
    elif not _detected(found, root):
        yield _unknown("its hatchling has no package that could be found")


def _of_setuptools(found: Mapping[str, Any], root: Path) -> Iterator[Refusal]:
    tool = _table(found, ("tool", "setuptools"))
    chosen = tool.get("packages")
    if (root / "setup.py").exists() or (root / "setup.cfg").exists():
        yield _unknown("its packages are chosen in setup.py or setup.cfg")
    elif isinstance(chosen, list) or "py-modules" in tool:
        yield _unknown("[tool.setuptools] lists its packages one by one")
    elif isinstance(chosen, dict):
        find = chosen.get("find", {})
        if _SRC not in find.get("where", ["."]) or "include" in find:
            yield _unknown("[tool.setuptools.packages.find] does not take all packages of src/")
    elif not (root / _SRC).is_dir():
        yield _unknown("its setuptools finds packages by itself, and would find only those of src/")


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], Path], Iterator[Refusal]]] = {
    _HATCH: _of_hatch,
    _SETUPTOOLS: _of_setuptools,
    _UV: _of_uv,
    _PDM: _of_pdm,
    _POETRY: _of_poetry,
}


def _unknown(why: str) -> Refusal:
    return Refusal(
        f"pyproject.toml: {why}",
        f"list the packages in [tool.hatch.build.targets.wheel], {APART}",
    )


def add_packages(document: Any, found: Mapping[str, Any], ours: Sequence[str], root: Path) -> None:
    """Add packages to what a backend builds, where it does not take all of `src/` by itself."""
    import tomlkit

    backend = _backend(found)
    if backend == _HATCH:
        wheel = _made(document, _WHEEL)
        if "packages" not in wheel:
            wheel["packages"] = [_detected(found, root)]
        wheel["packages"].extend([folder for folder in ours if folder not in wheel["packages"]])
    elif backend == _UV:
        table = _made(document, ("tool", "uv", "build-backend"))
        present = table.get("module-name", _module(found))
        names = [present] if isinstance(present, str) else list(present)
        table["module-name"] = [*names, *(PurePosixPath(folder).name for folder in ours)]
    elif backend == _POETRY:
        for folder in ours:
            one = tomlkit.inline_table()
            one.update({"include": PurePosixPath(folder).name, "from": _SRC})
            document["tool"]["poetry"]["packages"].append(one)


def _detected(found: Mapping[str, Any], root: Path) -> str | None:
    """Return the package that hatchling and uv find by the name of the project."""
    module = _module(found)
    places = (f"{_SRC}/{module}", module)
    return next((place for place in places if (root / place / "__init__.py").is_file()), None)


def _module(found: Mapping[str, Any]) -> str:
    name = str(found.get("project", {}).get("name", ""))
    return re.sub(r"[-_.]+", "_", name).lower()


def _backend(found: Mapping[str, Any]) -> str:
    return str(found["build-system"].get("build-backend", _SETUPTOOLS))


def _table(found: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    table: Any = found
    for key in keys:
        table = table.get(key, {}) if isinstance(table, Mapping) else {}
    return table if isinstance(table, Mapping) else {}


def _made(document: Any, keys: Sequence[str]) -> Any:
    """Return a table of a document, made where it is missing."""
    import tomlkit

    table = document
    for number, key in enumerate(keys, 1):
        if key not in table:
            table[key] = tomlkit.table(is_super_table=number < len(keys))
        table = table[key]
    return table


__all__ = ["add_packages", "packages", "problems"]
