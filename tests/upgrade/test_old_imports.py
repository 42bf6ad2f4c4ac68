"""Modules of a few lines in the place of those that are gone."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from polster_core.upgrade.old_imports import Runtime, compatibility_files, old_imports

RUNTIME = Runtime(
    {
        PurePosixPath("src/polster_runtime", path): text.encode()
        for path, text in {
            "__init__.py": '__all__ = ["Frames", "run"]\ndef run(): ...\n',
            "execution/source.py": "from polars import LazyFrame\nclass Frames: ...\n_x = 1\n",
            "execution/materialize.py": "def materialize(): ...\nLIMIT: int = 1\n",
            "dagster/materialize.py": "def materialize(): ...\nasync def later(): ...\n",
            "sources/mysql/__init__.py": '__all__ = ["MySQL"]\n',
            "sources/mysql/source.py": "class MySQL: ...\n",
            "sources/broken.py": "class :\n",
            "notes.md": "",
        }.items()
    }
)


def made(*lines: str) -> tuple[dict[str, str], list[str]]:
    files, lost = compatibility_files(old_imports(["\n".join(lines).encode()]), RUNTIME)
    return {str(file.path): str(file.text) for file in files}, lost


@pytest.mark.parametrize(
    ("line", "module", "home"),
    [
        ("from core.runtime import run", "core/runtime/__init__", "polster_runtime"),
        ("from src.core.runtime import run", "core/runtime/__init__", "polster_runtime"),
        ("from core.runtime.source import Frames", "core/runtime/source", "polster_runtime"),
        ("from core.sources.mysql import MySQL", "core/sources/mysql", "sources.mysql"),
        (
            "from core.runtime.materialize import materialize",
            "core/runtime/materialize",
            "execution.materialize",
        ),
        (
            "from orchestration.runtime.materialize import materialize",
            "orchestration/runtime/materialize",
            "dagster.materialize",
        ),
    ],
)
def test_the_place_of_a_name(line: str, module: str, home: str) -> None:
    files, lost = made(line)
    name = line.rpartition(" ")[2]
    home = home if home == "polster_runtime" else f"polster_runtime.{home}"
    text = files[f"src/{module}.py"]
    assert f"\nfrom {home} import {name}\n" in text
    assert f'\n__all__ = ["{name}"]\n' in text
    assert lost == []
    assert f"src/{'/'.join(module.split('/')[:2])}/__init__.py" in files


@pytest.mark.parametrize(
    "line", ["import core.runtime.materialize as m", "from core.runtime import materialize"]
)
def test_a_module_as_a_whole_has_all_its_names(line: str) -> None:
    files, _ = made(line)
    text = files["src/core/runtime/materialize.py"]
    assert "from polster_runtime.execution.materialize import LIMIT, materialize\n" in text


def test_names_of_one_module_come_together() -> None:
    files, _ = made("from core.runtime.materialize import LIMIT", "from core.runtime import run")
    assert set(files) == {"src/core/runtime/__init__.py", "src/core/runtime/materialize.py"}


def test_what_is_nowhere_is_named() -> None:
    files, lost = made("from core.runtime.materialize import gone", "import core.runtime.never")
    assert lost == ["gone of core.runtime.materialize", "core.runtime.never"]
    assert set(files) == {"src/core/runtime/__init__.py"}


@pytest.mark.parametrize(
    "line",
    [
        "import polars",
        "from core.runtimes import x",
        "from core.storage import read",
        "from .runtime import run",
        "core.runtime(",
    ],
)
def test_other_imports_need_nothing(line: str) -> None:
    assert made(line) == ({}, [])
