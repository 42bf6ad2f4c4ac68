"""`polster rename-asset` without a terminal: every use follows, or nothing is changed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from polster_core.testing.projects import tree
from tests.handmade import Ran, polster, shop, write_project

SHOP = {
    "bronze_orders": (),
    "bronze_customers": (),
    "silver_orders": ("bronze_orders",),
    "silver_orders_old": ("bronze_orders",),
    "silver_customers": ("bronze_customers",),
    "gold_revenue": ("silver_orders", "silver_customers"),
    "gold_orders": ("silver_orders",),
}
README = """\
# Shop

`silver_orders` (`src/core/silver_orders.py`, data in data/silver/orders) is not silver_orders_old.
"""
TEST = """\
import polars as pl

from core import silver_orders
from core.gold_revenue import aggregate


def test_revenue():
    orders = silver_orders.transform(pl.LazyFrame())
    aggregate(orders=orders, customers=pl.LazyFrame())
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project in which silver_orders is used in many ways."""
    files = {
        **shop(SHOP),
        "README.md": README,
        "tests/test_silver_orders.py": "from core.silver_orders import transform\n",
        "tests/test_gold_revenue.py": TEST,
        "data/silver/orders/20260101T000000000000Z-aaaaaa.parquet": "",
        "data/silver/orders/20260101T000000000000Z-aaaaaa.000001.parquet": "",
        "data/silver/orders/_rejected/20260101T000000000000Z-aaaaaa.parquet": "",
        ".github/workflows/polster.yml": "run: polster run --asset silver_orders\n",
    }
    return write_project(tmp_path / "shop", files).root


def rename(root: Path, *args: str) -> Ran:
    return polster(root, "rename-asset", *args)


def refused(root: Path, *args: str, code: int = 2) -> str:
    """Return what is said when nothing is renamed."""
    before = tree(root)
    done = rename(root, *args)
    assert (done.code, done.out) == (code, "")
    assert tree(root) == before
    return done.err


def test_what_will_be_done_is_said(root: Path) -> None:
    done = rename(root, "silver", "orders", "clean_orders")
    assert done.code == 0, done.err
    assert done.out == (
        "  update  .github/workflows/polster.yml                                 +1 -1 lines\n"
        "  update  README.md                                                     +1 -1 lines\n"
        "  update  src/core/gold_orders.py                                       "
        "aggregate(orders) -> aggregate(clean_orders)\n"
        "  update  src/core/gold_revenue.py                                      "
        "aggregate(orders, …) -> aggregate(clean_orders, …)\n"
        "  rename  src/core/silver_orders.py -> src/core/silver_clean_orders.py  +2 -2 lines\n"
        "  update  src/orchestration/assets/gold/run_gold_orders.py              +1 -1 lines\n"
        "  update  src/orchestration/assets/gold/run_gold_revenue.py             +1 -1 lines\n"
        "  update  src/orchestration/assets/silver/__init__.py                   +2 -2 lines\n"
        "  rename  src/orchestration/assets/silver/run_silver_orders.py -> "
        "src/orchestration/assets/silver/run_silver_clean_orders.py  +4 -4 lines\n"
        "  update  tests/test_gold_revenue.py                                    +3 -3 lines\n"
        "  rename  tests/test_silver_orders.py -> tests/test_silver_clean_orders.py  +1 -1 lines\n"
        "  move    data/silver/orders/ -> data/silver/clean_orders/              1 snapshot\n"
    )


def test_everything_follows(root: Path) -> None:
    assert rename(root, "silver_orders", "clean_orders").code == 0
    after = tree(root)
    assert not [path for path in after if "silver_orders." in path or "silver/orders" in path]
    assert after["README.md"] == (
        "# Shop\n\n`silver_clean_orders` (`src/core/silver_clean_orders.py`, data in "
        "data/silver/clean_orders) is not silver_orders_old.\n"
    )
    assert after["tests/test_gold_revenue.py"] == TEST.replace(
        "silver_orders", "silver_clean_orders"
    ).replace("orders=orders", "clean_orders=orders")
    core = after["src/core/gold_revenue.py"]
    assert "def aggregate(clean_orders: pl.LazyFrame, customers: pl.LazyFrame)" in core
    assert "return clean_orders\n" in core
    assert after["src/core/silver_clean_orders.py"].startswith('"""Silver: clean_orders."""')
    assert polster(root, "validate").out == "no problems in 7 assets\n"


@pytest.mark.parametrize(
    "args",
    [
        ("silver", "orders", "clean_orders"),
        ("silver_orders", "clean_orders"),
        ("run_silver_orders", "clean_orders"),
        ("silver_orders", "silver_clean_orders"),
        ("silver_orders", "run_silver_clean_orders"),
        ("--layer", "silver", "--name", "orders", "--new-name", "clean_orders"),
        ("--layer", "silver", "orders", "clean_orders"),
        ("silver_orders", "--new-name", "clean_orders"),
        ("src/core/silver_orders.py", "clean_orders"),
    ],
)
def test_it_can_be_said_in_many_ways(root: Path, args: tuple[str, ...]) -> None:
    assert rename(root, *args).code == 0
    assert (root / "src/core/silver_clean_orders.py").is_file()


def test_there_and_back_is_nothing(root: Path) -> None:
    before = tree(root)
    assert rename(root, "silver", "orders", "clean_orders").code == 0
    assert rename(root, "silver", "clean_orders", "orders").code == 0
    assert tree(root) == before


def test_a_dry_run_shows_the_diff_and_changes_nothing(root: Path) -> None:
    before = tree(root)
    done = rename(root, "silver", "orders", "clean_orders", "--dry-run")
    assert done.code == 0
    assert "rename src/core/silver_orders.py -> src/core/silver_clean_orders.py\n" in done.out
    assert '+    deps=["run_silver_clean_orders", "run_silver_customers"],\n' in done.out
    assert done.out.endswith("\nnothing was changed (--dry-run)\n")
    assert tree(root) == before


@pytest.mark.parametrize(
    ("args", "reason", "code"),
    [
        ((), "missing arguments ASSET and NEW_NAME", 2),
        (("silver_orders",), "missing option `--new-name`", 2),
        (("silver", "orders", "a", "b"), "b is one word too many", 2),
        (("orders", "sales"), "orders names more than one asset", 2),
        (("silver_order", "sales"), "no asset is called silver_order. Did you mean silver_ord", 2),
        (("silver_orders", "orders"), "silver_orders is called that already", 2),
        (("silver_orders", "gold_sales"), "gold_sales names the layer", 2),
        (("silver_orders", "class"), "'class' cannot be an asset's name", 2),
        (("silver_orders", "customers"), "silver_customers exists already", 1),
    ],
)
def test_what_cannot_be_meant_is_refused(
    root: Path, args: tuple[str, ...], reason: str, code: int
) -> None:
    assert refused(root, *args, code=code).startswith(f"error: {reason}")


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))


GOLD_CORE = "src/core/gold_revenue.py"
GOLD = "src/orchestration/assets/gold/run_gold_revenue.py"


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (
            GOLD_CORE,
            "    return orders\n",
            '    return pl.sql("select * from orders")\n',
            f"{GOLD_CORE}:17: aggregate() looks up orders by its name in a text",
        ),
        (
            GOLD_CORE,
            "    return orders\n",
            "    clean_orders = orders\n    return clean_orders\n",
            f"{GOLD_CORE}:17: aggregate() uses the name clean_orders already",
        ),
        (
            GOLD,
            '"run_silver_orders"',
            '"run_silver" + "_orders"',
            f"{GOLD}:12:11: run_silver_orders is named here in a way that cannot be renamed",
        ),
        (
            GOLD_CORE,
            "def aggregate(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:",
            "aggregate = lambda orders, customers: orders\n\n\ndef other(orders):",
            f"{GOLD_CORE}:1: aggregate is not written as a function",
        ),
        (
            "src/orchestration/assets/silver/__init__.py",
            '"run_silver_orders"',
            '"run_" "silver_orders"',
            "src/orchestration/assets/silver/__init__.py:7: run_silver_orders is written in pieces",
        ),
        ("tests/test_gold_revenue.py", "def test_", "def test-", "tests/test_gold_revenue.py:7"),
    ],
)
def test_code_that_cannot_be_renamed_is_refused_at_its_line(
    root: Path, path: str, old: str, new: str, said: str
) -> None:
    edit(root, path, old, new)
    found = refused(root, "silver_orders", "clean_orders", code=1)
    assert found.startswith(f"error: {said}")


@pytest.mark.parametrize(
    "deps",
    [
        'deps=[dg.AssetKey("run_silver_orders"), "run_silver_customers"]',
        'deps=[dg.AssetDep(dg.AssetKey(["run_silver_orders"])), "run_silver_customers"]',
        "deps=[run_silver_orders, run_silver_customers]",
        "deps=DEPS",
        'deps=["run_" + "silver_orders", "run_silver_customers"]',
    ],
)
def test_dependencies_are_renamed_however_they_are_written(root: Path, deps: str) -> None:
    edit(root, GOLD, 'deps=["run_silver_orders", "run_silver_customers"]', deps)
    edit(
        root,
        GOLD,
        "import dagster as dg\n",
        "import dagster as dg\n\n"
        "from orchestration.assets.silver import run_silver_customers, run_silver_orders\n"
        'DEPS = ["run_silver_orders", "run_silver_customers"]\n',
    )
    assert rename(root, "silver_orders", "clean_orders").code == 0
    found = polster(root, "list-assets", "--layer", "gold").out
    assert "gold   revenue  clean_orders, customers" in found
    assert "silver_orders" not in (root / GOLD).read_text()


def test_what_is_left_alone_is_named(root: Path) -> None:
    edit(root, "src/core/gold_orders.py", "id = dy", 'sql = "from silver_orders"\n    id = dy')
    (root / "notes.ipynb").write_text('{"cells": ["silver_orders"]}')
    done = rename(root, "silver_orders", "clean_orders")
    assert done.code == 0
    assert done.err == (
        "warning: silver_orders is left alone in src/core/gold_orders.py:12, notes.ipynb:1: "
        "look at it yourself\n"
    )


def test_data_that_is_elsewhere_is_said_to_stay(root: Path) -> None:
    (root / ".env").write_text("STORAGE_BACKEND=adls\n")
    done = rename(root, "silver_orders", "clean_orders")
    assert done.err == "warning: STORAGE_BACKEND=adls: the data there is not moved\n"


def test_data_conflicts_is_not_overwritten(root: Path) -> None:
    (root / "data/silver/clean_orders").mkdir()
    said = refused(root, "silver_orders", "clean_orders", code=1)
    assert said.startswith("error: data/silver/clean_orders is there already; data/silver/orders")


def test_uncommitted_changes_are_warned_of(root: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    done = rename(root, "silver_orders", "clean_orders")
    assert done.code == 0
    assert done.err == "warning: git has uncommitted changes: commit first to be able to go back\n"


def test_a_write_protected_file_is_refused(root: Path) -> None:
    (root / "README.md").chmod(0o444)
    said = refused(root, "silver_orders", "clean_orders", code=1)
    assert said == "error: README.md is write-protected\n"


def test_a_linked_src_is_renamed_in(root: Path) -> None:
    (root / "src").rename(root / "code")
    (root / "src").symlink_to("code")
    assert rename(root, "silver_orders", "clean_orders").code == 0
    assert (root / "code/core/silver_clean_orders.py").is_file()
    assert polster(root, "validate").code == 0


def test_titles_that_polster_wrote_are_renamed(tmp_path: Path) -> None:
    root = write_project(tmp_path, shop({"bronze_a": ()})).root
    assert polster(root, "add-asset", "--layer", "bronze", "--name", "raw_orders").code == 0
    before = tree(root)
    assert rename(root, "bronze", "raw_orders", "all_orders").code == 0
    assert (
        (root / "src/core/bronze_all_orders.py")
        .read_text()
        .startswith('"""Bronze: all_orders."""\n')
    )
    assert "All orders." in polster(root, "list-assets").out
    assert rename(root, "bronze", "all_orders", "raw_orders").code == 0
    assert tree(root) == before
