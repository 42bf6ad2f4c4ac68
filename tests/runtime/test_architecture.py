"""Who may import whom in the runtime, and what comes along."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "runtime"
PACKAGES = {
    "dagster",
    "dagster_webserver",
    "adlfs",
    "azure",
    "pymysql",
    "asyncssh",
    "requests",
    "ijson",
    "apprise",
}
"""What takes long to import, and what only some projects have."""


def python(code: str) -> list[str]:
    """Run a program with the runtime on its path, and return the words that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=RUNTIME,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def brought(*modules: str) -> set[str]:
    """Return which of the packages above importing some modules imports as well."""
    code = f"import sys, {', '.join(modules)}; print(*(n.partition('.')[0] for n in sys.modules))"
    return PACKAGES & set(python(code))


def test_dependencies_point_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=RUNTIME,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout


def test_neither_dagster_nor_a_source_nor_a_cloud_comes_along() -> None:
    """One after the other in one process: what one of them brings is there after all of them."""
    lean = (
        "polster_runtime",
        "polster_runtime.cli.run_asset",
        "polster_runtime.cli.main",
        "polster_runtime.cli.quarantine",
        "polster_runtime.cli.state",
        "polster_runtime.cli.storage",
        "polster_runtime.execution.materialize",
        "polster_runtime.storage.registry",
        "polster_runtime.storage.backends.local",
        "polster_runtime.sources.base",
    )
    assert brought(*lean) == set()


def test_the_package_alone_imports_nothing_but_itself() -> None:
    assert {"polars", "dataframely", "fsspec"} & set(
        python("import sys, polster_runtime; print(*sys.modules)")
    ) == set()


def test_the_domain_is_standard_library_alone() -> None:
    code = (
        "import sys\nbefore = set(sys.modules)\n"
        "import polster_runtime.domain.asset_id, polster_runtime.domain.layers\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*(new - set(sys.stdlib_module_names) - {'polster_runtime'}))"
    )
    assert python(code) == []


def test_loading_a_project_into_dagster_brings_no_source() -> None:
    assert brought("polster_runtime.dagster.definitions") <= {"dagster", "requests"}


def test_no_module_is_long() -> None:
    long = {
        path.relative_to(RUNTIME).as_posix(): lines
        for path in RUNTIME.rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > 300
    }
    assert long == {}


def test_the_tests_have_all_that_the_runtime_needs() -> None:
    """The extra `test` of Polster repeats it: two packages cannot share a list."""
    runtime = tomllib.loads((RUNTIME / "pyproject.toml").read_text("utf-8"))["project"]
    polster = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [runtime["dependencies"], *runtime["optional-dependencies"].values()]
    needed = {str(Requirement(text)) for texts in lists for text in texts}
    have = {str(Requirement(text)) for text in polster["optional-dependencies"]["test"]}
    assert needed - have == set()
