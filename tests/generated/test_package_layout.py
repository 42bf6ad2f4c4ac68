"""`polster init --package lake`: the daily work in a repository that has a package `core`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from polster_core.testing.projects import write
from tests.generated.projects import Generated, told
from tests.handmade import polster

SILVER = "src/lake/core/silver_example.py"
KEYED = "--dependencies orders --key order_id --order-by on"
THEIRS = {
    "src/core/__init__.py": 'WHOSE = "theirs"\n',
    "src/core/settings.py": "raise AssertionError\n",
    "src/orchestration/__init__.py": "raise AssertionError\n",
    "tests/conftest.py": "",
    "README.md": "# Theirs\n",
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Generated:
    root = tmp_path_factory.mktemp("package") / "shop"
    write(root, THEIRS)
    refused = polster(root, "init", ".", "--no-setup")
    assert (refused.code, refused.err.splitlines()) == (
        1,
        [
            "error: 3 conflicts; nothing was changed",
            "  src/core is there already",
            "  src/orchestration is there already",
            "  tests/conftest.py is there already",
            "hint: put the code into a package of its own:  --package shop",
        ],
    )
    polster(root, "init", ".", "--package", "lake", "--no-setup", "--no-git").succeeded()
    (root / ".venv").symlink_to(runtime.parent.parent)
    return Generated(root, runtime)


def test_the_code_is_in_one_package_and_theirs_stays(lake: Generated) -> None:
    for path, text in THEIRS.items():
        assert (lake.root / path).read_text() == text
    found = tomllib.loads((lake.root / "pyproject.toml").read_text())
    assert found["tool"]["polster"]["package"] == "lake"
    assert found["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [
        "src/lake",
        "src/polster_runtime",
    ]
    ours = [
        path
        for path in lake.root.rglob("*")
        if path.suffix in {".py", ".md", ".toml", ".yaml"} and "polster_runtime" not in path.parts
    ]
    for file in ours:
        if (inside := file.relative_to(lake.root).as_posix()) not in THEIRS:
            text = file.read_text()
            assert "src/core" not in text, inside
            assert "src/orchestration" not in text, inside
            assert "from core" not in text, inside
            assert " orchestration." not in text, inside


def test_it_runs_checks_and_tests_itself(lake: Generated) -> None:
    root = lake.root
    checked = polster(root, "validate", "--deep")
    assert checked.code == 0, checked
    done = lake.run("--select", "+gold_example")
    assert done.returncode == 0, told(done)
    assert "4 assets, 4 succeeded" in done.stdout
    direct = lake.python(SILVER)
    assert direct.returncode == 0, told(direct)
    own = lake.pytest("tests/lake/test_project.py", "tests/lake/test_silver_example.py")
    assert own.returncode == 0, told(own)
    lake.edit(SILVER, "example.unique()", 'example.filter(pl.col("no_such") > 1)')
    failed = lake.run("silver_example")
    assert failed.returncode == 1
    assert f"{SILVER}:" in failed.stderr, told(failed)
    assert f"{SILVER}:" in polster(root, "validate", "--deep").out
    lake.edit(SILVER, 'example.filter(pl.col("no_such") > 1)', "example.unique()")


def test_every_template_and_command_follows(lake: Generated) -> None:
    root = lake.root
    (root / "in").mkdir()
    (root / "in/a.csv").write_text("order_id,amount\n1,2.50\n2,3.00\n")
    (root / "in/a.json").write_text('[{"order_id": 1}]')
    for words in (
        "bronze --name orders --template csv --path in/a.csv",
        "bronze --name visits --template json --path in/a.json",
        "bronze --name crm --template mysql",
        "bronze --name web --template api --url https://example.com/x",
        "bronze --name drop --template sftp --pattern x*.csv",
        "silver --name orders --dependencies orders",
        f"silver --name newest --template latest {KEYED}",
        f"silver --name past --template history {KEYED} --columns amount",
        "silver --name log --template append --dependencies orders --columns amount",
        "gold --name each --template per-entity --dependencies orders --key order_id",
        "gold --name sum --dependencies orders,newest",
    ):
        polster(root, "add-asset", "--layer", *words.split()).succeeded()
    for command in (
        ("rename-asset", "silver", "orders", "sales"),
        ("remove-asset", "gold_each", "--force"),
        ("remove-asset", "silver_past", "--force"),
        ("storage", "add", "adls"),
        ("add-cicd", "github"),
        ("list-assets",),
        ("lineage",),
        ("upgrade", "--force"),
    ):
        polster(root, *command).succeeded()
    assert polster(root, "upgrade", "--check").code == 0
    found = json.loads(polster(root, "validate", "--format", "json").out)["problems"]
    assert {one["rule"] for one in found} == {"stub"}
    assert {path.name for path in (root / "src/core").glob("*.py")} == {
        "__init__.py",
        "settings.py",
    }
    assert not list((root / "tests").glob("test_*.py"))
    gold = (root / "src/lake/core/gold_sum.py").read_text()
    assert "def aggregate(sales: pl.LazyFrame, newest: pl.LazyFrame)" in gold
    tests = (root / "tests/lake/test_silver_sales.py").read_text()
    assert "from lake.core.silver_sales import transform" in tests
    for tool in (["ruff", "check", "src/lake", "tests/lake"], ["ruff", "format", "--check", "src"]):
        done = lake.tool(*tool)
        assert done.returncode == 0, told(done)


def test_a_worker_loads_what_the_project_has(lake: Generated) -> None:
    """Workers of other machines look for the definitions in the package, too."""
    polster(lake.root, "executor", "add", "dask").succeeded()
    look = "import sys; from polster_runtime.dagster.engines.worker import warm; warm(); "
    done = lake.python("-c", look + "print('lake.orchestration.definitions' in sys.modules)")
    assert (done.returncode, done.stdout) == (0, "True\n"), told(done)
