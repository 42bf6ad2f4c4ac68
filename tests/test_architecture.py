"""Who may import whom."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import long, machine
from tests.cli.test_group import HEAVY

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What plugins may use; everything else may change under them.
PUBLIC = {
    f"polster_core.{name}" for name in ("types", "hookspecs", "errors", "rendering", "testing")
}


LONGEST = 300
"""Lines of a module."""


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def test_dependencies_point_one_way() -> None:
    done = machine.run([Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_click_is_for_the_command_line_only() -> None:
    cli = ROOT / "polster_core/cli"
    users = [path for path in files("polster_core") if "click" in set(imports(path))]
    assert users
    assert all(cli in path.parents for path in users)


def test_plugins_use_what_is_public() -> None:
    for path in files("plugins"):
        used = {name for name in imports(path) if name.startswith("polster_core")}
        modules = {".".join(name.split(".")[:2]) for name in used} - {"polster_core"}
        assert modules <= PUBLIC, path


@pytest.mark.parametrize("module", PYPROJECT["project"]["entry-points"]["polster"].values())
def test_an_entry_point_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*(name.partition('.')[0] for name in sys.modules))"
    done = machine.python("-c", code)
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(done.stdout.split())


def test_no_module_is_long() -> None:
    """One responsibility a module; a template of a project's documents is no module."""
    folders = ("polster_core", "plugins", "examples", "runtime")
    paths = [path for name in folders for path in (ROOT / name).rglob("*")]
    modules = [
        path
        for path in paths
        if path.suffix in {".py", ".js"} or path.name.endswith((".py.jinja", ".js.jinja"))
        if not {".venv", "node_modules"} & set(path.parts)
    ]
    assert len(modules) > 200
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert {str(path.relative_to(ROOT)) for path, n in lengths.items() if n > LONGEST} == set()


def test_long_tests_begin_each_worker_s_slice() -> None:
    """And none is lost, whatever the number of workers; the files are there."""
    assert [file for file in long.SECONDS if not (ROOT / file).is_file()] == []
    tests = [f"tests/short_{number}.py::test" for number in range(500)]
    tests += [f"{file}::test_{number}" for file in long.SECONDS for number in range(3)]
    for workers in range(1, 9):
        ordered = long.in_order(tests, lambda test: test.partition("::")[0], workers)
        assert sorted(ordered) == sorted(tests)
        firsts = [ordered[len(tests) * number // workers] for number in range(workers)]
        begins = {test.partition("::")[0] for test in firsts}
        assert begins <= set(long.SECONDS), workers
        assert len(begins) == workers
