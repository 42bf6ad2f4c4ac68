"""The fixtures that plugins' tests use."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Protocol

import pytest

from polster_core.environment import venv
from polster_core.plugins.installed import installed
from polster_core.testing.projects import (
    PYPROJECT,
    ProjectFolder,
    Ran,
    faultless,
    polster,
    tree,
    write,
)
from polster_core.testing.storage import StorageProject

UPDATE = "POLSTER_UPDATE_GOLDEN"
"""The environment variable that makes `check_golden` write what it would have compared."""


class MakeProject(Protocol):
    """Write a project by hand into the test's folder."""

    def __call__(
        self,
        files: Mapping[str, str] | None = None,
        *,
        assets: Mapping[str, Iterable[str]] | None = None,
        name: str = "shop",
    ) -> ProjectFolder:
        """`assets` are faultless ones, with what each depends on; `files` are written on top."""


class RunPolster(Protocol):
    """Run one `polster` command line in this process, without a terminal."""

    def __call__(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Ran:
        """In the test's folder, or in `cwd`; `env` is added to the environment."""


class InstallPlugin(Protocol):
    """Lay out a distribution the way pip does, and make it importable for the test."""

    def __call__(
        self,
        name: str,
        files: str | Mapping[str, str],
        *,
        version: str = "0.1",
        entry_points: Mapping[str, str] | None = None,
    ) -> list[EntryPoint]:
        """Return its entry points.

        `files` is the text of its one module, or all files by their paths. `entry_points` are
        those of the group `polster`; unless given, NAME (dashes as underscores) is one of the
        distribution's name.
        """


class SetUpProject(Protocol):
    """Write a project with `polster init`, and an environment for it."""

    def __call__(self, *options: str) -> StorageProject:
        """`options` are those of `polster init`.

        Its environment is made as well, which takes a minute, unless PROJECT_PYTHON is the path of
        a Python that has what the project needs.
        """


class CheckGolden(Protocol):
    """Compare a tree of files with the expected one."""

    def __call__(self, actual: Path, expected: Path) -> None:
        """Fail with a list of what is missing, extra and different.

        With POLSTER_UPDATE_GOLDEN=1 in the environment the expected tree is written instead.
        """


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Make projects from dicts."""

    def make(
        files: Mapping[str, str] | None = None,
        *,
        assets: Mapping[str, Iterable[str]] | None = None,
        name: str = "shop",
    ) -> ProjectFolder:
        root = tmp_path / name
        write(root, {"pyproject.toml": PYPROJECT, **faultless(assets or {}), **(files or {})})
        return ProjectFolder(root)

    return make


@pytest.fixture
def run_polster(tmp_path: Path) -> RunPolster:
    """Run commands in the test's folder."""

    def run(*args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Ran:
        return polster(cwd or tmp_path, *args, env=env)

    return run


@pytest.fixture
def install_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InstallPlugin]:
    """Install distributions that are gone after the test."""

    def install(
        name: str,
        files: str | Mapping[str, str],
        *,
        version: str = "0.1",
        entry_points: Mapping[str, str] | None = None,
    ) -> list[EntryPoint]:
        module, site = name.replace("-", "_"), tmp_path / "site" / name
        texts = {f"{module}.py": files} if isinstance(files, str) else files
        points = {name: module} if entry_points is None else entry_points
        info = f"{module}-{version}.dist-info"
        listed = "".join(f"{entry} = {target}\n" for entry, target in points.items())
        written = {
            **texts,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/entry_points.txt": f"[polster]\n{listed}",
        }
        written[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in written)
        shutil.rmtree(site, ignore_errors=True)  # an older version of it
        write(site, written)
        for top in {Path(path).parts[0].removesuffix(".py") for path in texts}:
            _forget(top, monkeypatch)
        monkeypatch.syspath_prepend(str(site))
        installed.cache_clear()
        return list(Distribution.at(site / info).entry_points)

    yield install
    installed.cache_clear()


@pytest.fixture(scope="session")
def set_up_project(tmp_path_factory: pytest.TempPathFactory) -> SetUpProject:
    """Set up projects that stay for all tests; each one once."""

    @cache
    def set_up(*options: str) -> StorageProject:
        folder, given = tmp_path_factory.mktemp("project"), os.environ.get("PROJECT_PYTHON")
        setup = "--no-setup" if given else "--setup"
        polster(folder, "init", "shop", "--no-git", setup, *options).succeeded()
        root = folder / "shop"
        return StorageProject(root=root, python=Path(given) if given else venv.python(root))

    return set_up


@pytest.fixture
def check_golden() -> CheckGolden:
    """Compare trees of files."""

    def check(actual: Path, expected: Path) -> None:
        found = tree(actual)
        if os.environ.get(UPDATE):
            for path, text in found.items():
                (expected / path).parent.mkdir(parents=True, exist_ok=True)
                (expected / path).write_bytes(text.encode())
            for path in tree(expected).keys() - found.keys():
                (expected / path).unlink()
        wanted = tree(expected)
        report = [
            *(f"missing: {path}" for path in sorted(wanted.keys() - found.keys())),
            *(f"extra: {path}" for path in sorted(found.keys() - wanted.keys())),
            *(
                _first_difference(path, wanted[path], found[path])
                for path in sorted(wanted.keys() & found.keys())
                if wanted[path] != found[path]
            ),
        ]
        assert not report, "\n".join(
            [f"not as in {expected} ({UPDATE}=1 writes it again)", *report]
        )

    return check


def _first_difference(path: str, wanted: str, found: str) -> str:
    pairs = zip([*wanted.splitlines(), None], [*found.splitlines(), None], strict=False)
    for number, (one, other) in enumerate(pairs, start=1):
        if one != other:
            return f"different: {path}:{number}: expected {one!r}, found {other!r}"
    return f"different: {path}: the line ends"


def _forget(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a module be imported again, and put back what was there after the test."""
    for name in list(sys.modules):
        if name == module or name.startswith(f"{module}."):
            monkeypatch.delitem(sys.modules, name)
