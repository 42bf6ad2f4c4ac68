"""The pages about plugins: what they show is done, what they list is there."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from polster_core import delivery
from polster_core.plugins import validation
from tests import machine
from tests.docs.reader import Reader

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/guides/plugins.md"
SCRIPT = ROOT / "docs/hooks.py"
WITHOUT_OWN_USER = {"polster_commands"}
"""Polster's own commands are a table: `polster --help` must not look for plugins to list them."""


@pytest.mark.slow
def test_ten_minutes(tmp_path: Path) -> None:
    """The page is read from top to bottom, in an environment with Polster and pip."""
    uv = [sys.executable, "-m", "uv"]
    venv = tmp_path / "venv"
    assert machine.run([*uv, "venv", "--quiet", "-p", sys.executable, venv]).returncode == 0
    tools = ("pip", "pytest", "mypy", "ruff", "hatchling", "editables")
    done = machine.run([*uv, "pip", "install", "--quiet", "-p", venv, ROOT, *tools])
    assert done.returncode == 0, done.stderr
    page = PAGE.read_text(encoding="utf-8")
    path = os.pathsep.join([str(venv / "bin"), os.environ["PATH"]])
    Reader(page=page, folder=tmp_path, env={"PATH": path, "PIP_NO_BUILD_ISOLATION": "0"}).read()


def test_the_reference_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], check=False)
    assert done.returncode == 0, "run  python docs/hooks.py"


def test_every_hook_has_a_user_of_our_own() -> None:
    hooks = _script()
    without = {name for name in validation.hooks() if not hooks.users(name)}
    assert without == WITHOUT_OWN_USER


def test_every_hook_is_tested() -> None:
    """By name, in a test of what a stranger's plugin does with it."""
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert {name for name in validation.hooks() if f"def {name}(" not in tests} == set()


def contracts() -> Mapping[str, type]:
    """Return the contracts of the kit."""
    modules = (
        importlib.import_module("polster_core.testing"),
        importlib.import_module("polster_runtime.testing.listener_contract"),
        importlib.import_module("polster_runtime.testing.secrets_contract"),
    )
    return {
        name: one
        for module in modules
        for name, one in vars(module).items()
        if name.endswith("Contract")
    }


def test_every_hook_and_every_group_has_a_contract_and_an_example() -> None:
    """And what is Polster's own passes the contract, too."""
    found = contracts()
    kept = {getattr(one, of, "") for one in found.values() for of in ("hook", "group")}
    kinds = {one.kind for one in found.values() if hasattr(one, "kind")}
    kept |= {name for name, hook in validation.hooks().items() if hook.yields in kinds}
    kept |= {delivery.GROUPS.get(kind.kind, "") for kind in kinds}
    assert kept - {""} == {*validation.hooks(), *delivery.GROUPS.values()}
    folders = ("tests", "examples", "polster_core/templates/plugin")
    files = (path for folder in folders for path in (ROOT / folder).rglob("test_*.py*"))
    tests = "".join(path.read_text("utf-8") for path in files if path.suffix != ".pyc")
    reference = (ROOT / "docs/reference/hooks.md").read_text("utf-8")
    for name in found:
        assert re.search(rf"^class \w+\(([^)]*, )?{name}\)", tests, re.MULTILINE), name
        assert f"`{name}`" in reference, name
    for hook in validation.hooks():
        section = reference.partition(f"\n## {hook}\n")[2].partition("\n## ")[0]
        assert f"def {hook}(" in section, hook
    for group in delivery.GROUPS.values():
        assert f"`{group}`" in reference, group


def test_what_may_be_imported_is_what_is_listed() -> None:
    hooks = _script()
    for name, listed in {**hooks.PUBLIC, **hooks.PUBLIC_RUNTIME}.items():
        module = importlib.import_module(name)
        assert [one for one in listed if not hasattr(module, one)] == [], name
        if name in {"polster_core.types", "polster_core.testing"}:
            assert set(listed) == _public(name), name


def test_plugins_of_0_1_find_what_they_import() -> None:
    old, new = (importlib.import_module(f"polster_core.{name}") for name in ("render", "rendering"))
    assert set(old.__all__) <= set(new.__all__)
    assert [getattr(old, name) for name in old.__all__] == [
        getattr(new, name) for name in old.__all__
    ]


def _public(name: str) -> set[str]:
    """Return what a module shows of Polster."""
    module = importlib.import_module(name)
    return set(getattr(module, "__all__", ())) or {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and str(getattr(value, "__module__", "")).startswith("polster_core.")
    }


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hooks", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
