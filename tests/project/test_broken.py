"""One project, broken by hand in many ways: each is found by its rule at its line."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from polster_core.project.locate import Project
from polster_core.testing.projects import tree
from tests.handmade import polster, shop, write_project

SHOP = {
    "bronze_orders": [],
    "bronze_customers": [],
    "silver_orders": ["bronze_orders", "bronze_customers"],
    "silver_people": ["bronze_customers"],
    "gold_revenue": ["silver_orders"],
}
ASSETS = "src/orchestration/assets"
ORDERS = f"{ASSETS}/silver/run_silver_orders.py"
REVENUE = f"{ASSETS}/gold/run_gold_revenue.py"
BRONZE = f"{ASSETS}/bronze/run_bronze_orders.py"
INIT = f"{ASSETS}/silver/__init__.py"

Edit = str | None | tuple[str, str]


@dataclass(frozen=True)
class Break:
    """A way to break the project, and all that is then found.

    An edit is a file's new text, `None` to delete it, or what to replace by what.
    """

    name: str
    edits: Mapping[str, Edit]
    found: list[str]
    fixed: list[str] | None = None
    before: Callable[[Project], object] = field(default=lambda _: None)


def git(project: Project) -> None:
    """Make the project a repository that tracks everything."""
    for args in (["init", "-q"], ["add", "-Af"]):
        subprocess.run(["git", *args], cwd=project.root, check=True)


BREAKS = [
    Break(
        "a syntax error in a core file",
        {"src/core/silver_orders.py": "def transform(orders, customers:\n    return 1\n"},
        ["syntax-error src/core/silver_orders.py:1:14"],
    ),
    Break(
        "a syntax error in a Dagster file",
        {ORDERS: ('group_name="silver",', 'group_name="silver"')},
        [f"syntax-error {ORDERS}:10:16"],
    ),
    Break(
        "a syntax error in a package",
        {INIT: '"""The silver assets.\n'},
        [f"syntax-error {INIT}:1:1"],
    ),
    Break(
        "a null byte",
        {"src/core/silver_orders.py": "\0"},
        ["syntax-error src/core/silver_orders.py:1:1"],
    ),
    Break(
        "v7: a core file that does nothing when it is run",
        {"src/core/silver_orders.py": ('if __name__ == "__main__":\n    run(transform)\n', "")},
        ["direct-run src/core/silver_orders.py:1:1"],
        fixed=[],
    ),
    Break(
        "a syntax error in pyproject.toml",
        {"pyproject.toml": "[tool.polster]\nversion = \n"},
        ["syntax-error pyproject.toml:2:11"],
    ),
    Break(
        "gold on bronze",
        {REVENUE: ("run_silver_orders", "run_bronze_orders")},
        [f"layer-order {REVENUE}:12:11"],
    ),
    Break(
        "silver on silver",
        {f"{ASSETS}/silver/run_silver_people.py": ("run_bronze_customers", "run_silver_orders")},
        [f"layer-order {ASSETS}/silver/run_silver_people.py:12:11"],
    ),
    Break(
        "bronze with a dependency",
        {BRONZE: ("    automation", '    deps=["run_bronze_customers"],\n    automation')},
        [f"layer-order {BRONZE}:12:11"],
    ),
    Break(
        "silver without dependencies",
        {
            ORDERS: ('    deps=["run_bronze_orders", "run_bronze_customers"],\n', ""),
            "src/core/silver_orders.py": (
                "orders: pl.LazyFrame, customers: pl.LazyFrame",
                "",
            ),
        },
        [f"layer-order {ORDERS}:15:5"],
    ),
    Break(
        "a phantom dependency",
        {REVENUE: ("run_silver_orders", "run_silver_order")},
        [f"phantom-dependency {REVENUE}:12:11"],
    ),
    Break(
        "a dependency outside the layers",
        {REVENUE: ('"run_silver_orders"', 'dg.AssetKey(["shop", "orders"])')},
        [f"phantom-dependency {REVENUE}:12:11"],
    ),
    Break(
        "a dependency listed twice",
        {REVENUE: ('"run_silver_orders"', '"run_silver_orders", "run_silver_orders"')},
        [f"repeated-dependency {REVENUE}:12:32"],
    ),
    Break(
        "a dependency on itself",
        {REVENUE: ("run_silver_orders", "run_gold_revenue")},
        [f"cycle {REVENUE}:12:11"],
    ),
    Break(
        "a cycle of two",
        {
            ORDERS: ('"run_bronze_orders"', '"run_silver_people", "run_bronze_orders"'),
            f"{ASSETS}/silver/run_silver_people.py": ("run_bronze_customers", "run_silver_orders"),
        },
        [
            f"layer-order {ORDERS}:12:11",
            f"cycle {ASSETS}/silver/run_silver_people.py:12:11",
            f"layer-order {ASSETS}/silver/run_silver_people.py:12:11",
        ],
    ),
    Break(
        "a parameter that is no dependency",
        {"src/core/silver_orders.py": ("customers: pl.LazyFrame", "people: pl.LazyFrame")},
        [
            "undeclared-dependency src/core/silver_orders.py:15:37",
            f"unused-dependency {ORDERS}:12:32",
        ],
    ),
    Break(
        "a partition, which nothing fills",
        {
            "src/core/silver_orders.py": (
                "orders: pl.LazyFrame,",
                "orders: pl.LazyFrame, partition,",
            )
        },
        ["undeclared-dependency src/core/silver_orders.py:15:37"],
    ),
    Break(
        "a dependency that is no parameter",
        {"src/core/silver_orders.py": (", customers: pl.LazyFrame", "")},
        [f"unused-dependency {ORDERS}:12:32"],
    ),
    Break(
        "any number of parameters",
        {"src/core/silver_orders.py": ("customers: pl.LazyFrame", "**frames: pl.LazyFrame")},
        ["undeclared-dependency src/core/silver_orders.py:15:39"],
    ),
    Break(
        "an undeclared read of another asset's data",
        {
            "src/core/silver_people.py": (
                "return customers",
                'return customers.join(pl.scan_parquet("data/bronze/orders/*.parquet"), on="id")',
            )
        },
        ["undeclared-dependency src/core/silver_people.py:17:27"],
    ),
    Break(
        "an undeclared read through another asset's function",
        {
            "src/core/silver_people.py": (
                "from polster_runtime import run",
                "from core.bronze_orders import extract\nfrom polster_runtime import run",
            )
        },
        ["undeclared-dependency src/core/silver_people.py:6:32"],
    ),
    Break(
        "a read behind the parameters' back",
        {
            "src/core/silver_people.py": (
                "return customers",
                'return pl.read_parquet(DATA / "bronze" / "customers" / "x.parquet")',
            )
        },
        ["impure-function src/core/silver_people.py:17:12"],
    ),
    Break(
        "a write",
        {
            "src/core/silver_people.py": (
                "return customers",
                'customers.sink_parquet("out.parquet")\n    return customers',
            )
        },
        ["impure-function src/core/silver_people.py:17:5"],
    ),
    Break(
        "the same key in two files",
        {f"{ASSETS}/silver/again.py": "COPY"},
        [
            f"asset-name {ASSETS}/silver/again.py:16:5",
            f"duplicate-asset {ASSETS}/silver/again.py:16:5",
        ],
        before=lambda project: shutil.copy(
            project.root / ORDERS, project.root / f"{ASSETS}/silver/again.py"
        ),
    ),
    Break(
        "a function that is defined twice",
        {
            "src/core/silver_people.py": (
                "if __name__",
                "def transform(customers): ...\n\n\nif __name__",
            )
        },
        ["duplicate-asset src/core/silver_people.py:20:5"],
    ),
    Break(
        "an asset that is not registered",
        {INIT: "__all__ = []\n"},
        [f"unregistered {ORDERS}:16:5", f"unregistered {ASSETS}/silver/run_silver_people.py:16:5"],
        fixed=[],
    ),
    Break(
        "an asset that is not exported",
        {INIT: ('__all__ = ["run_silver_orders", ', "__all__ = [")},
        [f"unregistered {INIT}:3:59"],
        fixed=[],
    ),
    Break(
        "an asset that is registered twice",
        {
            INIT: (
                "\n__all__",
                (
                    "from orchestration.assets.silver.run_silver_orders import run_silver_orders\n"
                    "\n__all__"
                ),
            )
        },
        [f"registered-twice {INIT}:5:59"],
        fixed=[],
    ),
    Break(
        "an asset that is exported twice",
        {
            INIT: (
                '__all__ = ["run_silver_orders"',
                '__all__ = ["run_silver_orders", "run_silver_orders"',
            )
        },
        [f"registered-twice {INIT}:6:33"],
        fixed=[],
    ),
    Break(
        "a registration of a file that is gone",
        {
            ORDERS: None,
            "src/core/silver_orders.py": None,
            REVENUE: ("silver_orders", "silver_people"),
        },
        [f"stale-registration {INIT}:3:59"],
        fixed=[],
    ),
    Break(
        "a registration of a name that is gone",
        {INIT: ("import run_silver_people", "import run_silver_folks")},
        [
            f"stale-registration {INIT}:4:59",
            f"stale-registration {INIT}:6:33",
            f"unregistered {ASSETS}/silver/run_silver_people.py:16:5",
        ],
        fixed=[],
    ),
    Break(
        "a registration of a module instead of its asset",
        {
            INIT: (
                "from orchestration.assets.silver.run_silver_people import run_silver_people",
                "from orchestration.assets.silver import run_silver_people",
            )
        },
        [
            f"stale-registration {INIT}:4:41",
            f"unregistered {ASSETS}/silver/run_silver_people.py:16:5",
        ],
    ),
    Break(
        "a core file that is missing",
        {"src/core/silver_people.py": None},
        [
            f"import-path {ASSETS}/silver/run_silver_people.py:5:1",
            f"missing-file {ASSETS}/silver/run_silver_people.py:16:5",
        ],
    ),
    Break(
        "a Dagster file that is missing",
        {f"{ASSETS}/silver/run_silver_people.py": None},
        ["missing-file src/core/silver_people.py:1:1", f"stale-registration {INIT}:4:59"],
        fixed=["missing-file src/core/silver_people.py:1:1"],
    ),
    Break(
        "a package that is missing",
        {INIT: None},
        [f"missing-file {INIT}:1:1"],
        fixed=[],
    ),
    Break(
        "a module that is not there",
        {REVENUE: ("from core.gold_revenue", "from core.gold_revenues")},
        [f"import-path {REVENUE}:5:1"],
    ),
    Break(
        "a name that is not there",
        {REVENUE: ("import aggregate", "import aggregat as aggregate")},
        [f"import-path {REVENUE}:5:31"],
    ),
    Break(
        "a name that the utilities do not have",
        {REVENUE: ("contract_check, materialize", "columns_check, materialize")},
        [f"import-path {REVENUE}:6:63"],
    ),
    Break(
        "an import from src",
        {REVENUE: ("from core.gold_revenue", "from src.core.gold_revenue")},
        [f"import-path {REVENUE}:5:1"],
        fixed=[],
    ),
    Break(
        "an import of another asset's function",
        {REVENUE: ("core.gold_revenue import aggregate", "core.silver_orders import transform")},
        [f"import-path {REVENUE}:5:32"],
    ),
    Break(
        "a stub",
        {"src/core/gold_revenue.py": ("return orders", "raise NotImplementedError")},
        ["stub src/core/gold_revenue.py:17:5"],
    ),
    Break(
        "a function of another layer",
        {"src/core/gold_revenue.py": ("def aggregate", "def transform")},
        [f"import-path {REVENUE}:5:31", "missing-function src/core/gold_revenue.py:1:1"],
    ),
    Break(
        "a Dagster file without an asset",
        {REVENUE: "print('hello')\n"},
        [f"missing-function {REVENUE}:1:1", f"stale-registration {ASSETS}/gold/__init__.py:3:56"],
    ),
    Break(
        "silver without a contract",
        {"src/core/silver_people.py": ("class Contract", "class Promise")},
        ["missing-contract src/core/silver_people.py:15:5"],
    ),
    Break(
        "gold without a contract",
        {"src/core/gold_revenue.py": ("class Contract", "class Promise")},
        ["missing-contract src/core/gold_revenue.py:15:5"],
    ),
    Break(
        "an empty contract",
        {"src/core/silver_people.py": ("    id = dy.Int64(primary_key=True)", "    # later")},
        ["missing-contract src/core/silver_people.py:9:7"],
    ),
    Break(
        "another group",
        {REVENUE: ('group_name="gold"', 'group_name="marts"')},
        [f"group {REVENUE}:16:5"],
    ),
    Break(
        "a key that is no run_LAYER_NAME",
        {
            REVENUE: ("def run_gold_revenue", "def revenue"),
            f"{ASSETS}/gold/__init__.py": (
                "import run_gold_revenue",
                "import revenue as run_gold_revenue",
            ),
        },
        [f"asset-name {REVENUE}:16:5"],
    ),
    Break(
        "dependencies that are computed",
        {REVENUE: ('["run_silver_orders"]', "[f'run_{name}' for name in ['silver_orders']]")},
        [f"unreadable {REVENUE}:12:10"],
    ),
    Break(
        "a key in a tracked file",
        {
            "src/core/bronze_orders.py": (
                "return",
                'TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"\n    return',
            )
        },
        ["secret src/core/bronze_orders.py:17:14"],
        before=git,
    ),
    Break(
        "a tracked .env",
        {".env": "ENV=dev\nMYSQL_PASSWORD=Tr0ub4dor&3\n"},
        ["secret .env:1:1", "secret .env:2:16"],
        before=git,
    ),
]


def breaking(root: Path, way: Break) -> Project:
    """Write the project and break it."""
    project = write_project(root, shop(SHOP))
    for path, edit in way.edits.items():
        target = project.root / path
        if edit is None:
            target.unlink()
        elif isinstance(edit, tuple):
            text = target.read_text()
            assert edit[0] in text, f"{path} has no {edit[0]}"
            target.write_text(text.replace(*edit))
        else:
            target.write_text(edit)
    way.before(project)
    return project


def found(root: Path) -> list[str]:
    """Validate, and return rule and place of each problem."""
    ran = polster(root, "validate", "--json")
    report = json.loads(ran.out)
    errors = [one for one in report["problems"] if one["severity"] == "error"]
    assert (ran.code, report["ok"]) == ((1, False) if errors else (0, True))
    assert ran.err == ""
    return sorted(
        f"{one['rule']} {one['path']}:{one['line']}:{one['column']}" for one in report["problems"]
    )


@pytest.mark.parametrize("way", BREAKS, ids=lambda way: way.name)
def test_each_way_is_found_by_its_rule_at_its_line(tmp_path: Path, way: Break) -> None:
    assert found(breaking(tmp_path, way).root) == sorted(way.found)


@pytest.mark.parametrize("way", BREAKS, ids=lambda way: way.name)
def test_no_command_minds(tmp_path: Path, way: Break) -> None:
    root = breaking(tmp_path, way).root
    before = tree(root)
    for args in (
        ["list-assets"],
        ["list-assets", "--json", "--select", "+*+"],
        ["lineage"],
        *(["lineage", "--format", form] for form in ("mermaid", "svg", "html", "json")),
        ["validate"],
        ["validate", "--format", "github"],
        ["validate", "--format", "sarif"],
        ["validate", "--fix", "--dry-run"],
    ):
        ran = polster(root, *args)
        assert ran.code in {0, 1}, (args, ran)
        assert "error:" not in ran.err, (args, ran)
    assert tree(root) == before


@pytest.mark.parametrize(
    "way", [way for way in BREAKS if way.fixed is not None], ids=lambda w: w.name
)
def test_fix_does_what_it_says(tmp_path: Path, way: Break) -> None:
    root = breaking(tmp_path, way).root
    ran = polster(root, "validate", "--fix")
    assert ran.out.startswith(("  update  ", "  create  "))
    assert found(root) == way.fixed
    before = tree(root)
    assert "update" not in polster(root, "validate", "--fix").out
    assert tree(root) == before


@pytest.mark.parametrize("way", [way for way in BREAKS if way.fixed is None], ids=lambda w: w.name)
def test_fix_leaves_the_rest_alone(tmp_path: Path, way: Break) -> None:
    root = breaking(tmp_path, way).root
    before = tree(root)
    polster(root, "validate", "--fix")
    assert tree(root) == before


def test_the_project_is_faultless_before_it_is_broken(tmp_path: Path) -> None:
    assert found(write_project(tmp_path, shop(SHOP)).root) == []
