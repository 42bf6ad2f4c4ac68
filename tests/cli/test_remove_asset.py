"""`polster remove-asset` without a terminal: nothing goes that others need."""

from __future__ import annotations

from pathlib import Path

import pytest

from polster_core.testing.projects import tree
from tests.handmade import Ran, polster, shop, write_project

SHOP = {
    "bronze_orders": (),
    "bronze_customers": (),
    "silver_orders": ("bronze_orders",),
    "silver_customers": ("bronze_customers",),
    "gold_revenue": ("silver_orders", "silver_customers"),
    "gold_orders": ("silver_orders",),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of six assets, one of which has data."""
    files = {
        **shop(SHOP),
        "tests/test_gold_orders.py": "from core.gold_orders import aggregate\n",
        "data/gold/orders/20260101T000000000000Z-aaaaaa.parquet": "",
    }
    return write_project(tmp_path / "shop", files).root


def remove(root: Path, *args: str) -> Ran:
    return polster(root, "remove-asset", *args, "--force")


def refused(root: Path, *args: str, code: int = 1) -> str:
    """Return what is said when nothing is removed, without --force."""
    before = tree(root)
    done = polster(root, "remove-asset", *args)
    assert done.code == code
    assert tree(root) == before
    return done.err


@pytest.mark.parametrize(
    "args", [("--layer", "gold", "--name", "orders"), ("gold_orders",), ("--name", "gold/orders")]
)
def test_files_test_and_registration_go_and_data_stays(root: Path, args: tuple[str, ...]) -> None:
    done = remove(root, *args)
    assert done == Ran(
        0,
        "  delete  src/core/gold_orders.py\n"
        "  update  src/orchestration/assets/gold/__init__.py  +1 -2 lines\n"
        "  delete  src/orchestration/assets/gold/run_gold_orders.py\n"
        "  delete  tests/test_gold_orders.py\n"
        "  keep    data/gold/orders/  1 snapshot; --data deletes it as well\n",
        "",
    )
    assert [path for path in tree(root) if "gold" in path and "orders" in path] == [
        "data/gold/orders/20260101T000000000000Z-aaaaaa.parquet"
    ]
    assert polster(root, "validate").out == "no problems in 5 assets\n"


def test_adding_and_removing_is_nothing(root: Path) -> None:
    before = tree(root)
    for layer, name, deps in (
        ("bronze", "a", ()),
        ("silver", "zz", ("--dependencies", "a,orders")),
        ("gold", "m", ("--dependencies", "zz,customers", "--description", "All of it.")),
    ):
        assert polster(root, "add-asset", "--layer", layer, "--name", name, *deps).code == 0
    assert remove(root, "gold_m", "silver_zz", "bronze_a").code == 0
    assert tree(root) == before


def test_what_others_depend_on_is_refused(root: Path) -> None:
    said = refused(root, "--layer", "silver", "--name", "customers")
    assert said == (
        "error: gold_revenue depends on silver_customers\n"
        "hint: remove it first, or remove both:  polster remove-asset silver_customers "
        "gold_revenue\n"
    )
    said = refused(root, "silver_orders")
    assert said == (
        "error: gold_orders and gold_revenue depend on silver_orders\n"
        "hint: remove them first, or remove all of them:  polster remove-asset silver_orders "
        "gold_orders gold_revenue\n"
    )


def test_several_go_at_once_with_what_depends_on_them(root: Path) -> None:
    done = remove(root, "bronze_customers", "silver_customers", "gold_revenue")
    assert done.code == 0, done.err
    assert polster(root, "validate").out == "no problems in 3 assets\n"


def test_a_dry_run_changes_nothing(root: Path) -> None:
    before = tree(root)
    done = remove(root, "gold_orders", "--data", "--dry-run")
    assert done.code == 0
    assert "  remove  data/gold/orders/" in done.out
    assert done.out.endswith("\nnothing was changed (--dry-run)\n")
    assert tree(root) == before


def test_data_goes_only_when_it_is_named_and_forced(root: Path) -> None:
    said = refused(root, "gold_orders", "--data", code=2)
    assert said == ("error: without a terminal, removing gold_orders and the data needs --force\n")
    done = remove(root, "gold_orders", "--data")
    assert done.out.splitlines()[-1] == "  remove  data/gold/orders/" + " " * 26 + "1 snapshot"
    assert not (root / "data/gold/orders").exists()


def test_v2_nothing_goes_without_a_terminal_or_force(root: Path) -> None:
    """With stdin or stdout piped there is nobody who could confirm."""
    for names, lost in (
        (["gold_orders"], "gold_orders"),
        (["gold_orders", "gold_revenue"], "2 assets"),
        (list(SHOP), "6 assets"),
    ):
        said = refused(root, *names, code=2)
        assert said == f"error: without a terminal, removing {lost} needs --force\n"
    assert remove(root, *SHOP).code == 0
    assert polster(root, "list-assets").err.startswith("there are no assets yet\n")
    assert polster(root, "validate").code == 0


def test_v8_force_removes_what_others_need_and_names_what_breaks(root: Path) -> None:
    (root / "src/core/helpers.py").write_text("from core.silver_orders import transform\n")
    done = remove(root, "silver_orders")
    assert done.code == 0
    assert done.err.splitlines()[:2] == [
        "warning: gold_orders and gold_revenue depend on silver_orders: broken by this removal",
        "warning: src/core/helpers.py:1:32: helpers imports silver_orders: broken by this removal",
    ]
    assert not (root / "src/core/silver_orders.py").exists()
    checked = polster(root, "validate")
    assert checked.code == 1
    for asset in ("gold_orders", "gold_revenue"):
        assert f"run_{asset}.py:" in checked.out


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ((), "missing argument ASSET"),
        (("gold_order",), "no asset is called gold_order. Did you mean gold_orders?"),
        (("orders",), "orders names more than one asset"),
        (("--layer", "silver", "--name", "revenue"), "no silver asset is called revenue"),
    ],
)
def test_what_cannot_be_meant_is_refused(root: Path, args: tuple[str, ...], reason: str) -> None:
    assert refused(root, *args, code=2).startswith(f"error: {reason}")


def test_naming_an_asset_twice_is_naming_it(root: Path) -> None:
    assert remove(root, "gold_orders", "run_gold_orders").code == 0


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "tests/test_all.py",
            "import os\nfrom core import gold_orders\n",
            "tests/test_all.py:2:18",
        ),
        ("src/core/helpers.py", "from core.gold_orders import x\n", "src/core/helpers.py:1:30"),
        ("scripts/a.py", "import core.gold_orders\n", "scripts/a.py:1:8"),
    ],
)
def test_what_other_files_import_is_refused(root: Path, path: str, text: str, said: str) -> None:
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text(text)
    assert refused(root, "gold_orders").startswith(f"error: {said}: ")


def test_what_is_still_mentioned_is_named(root: Path) -> None:
    (root / "README.md").write_text("# Shop\n\ngold_orders and gold_orders\n")
    jobs = root / "src/orchestration/jobs.py"
    jobs.write_text('import dagster as dg\nJOB = dg.define_asset_job("a", "run_gold_orders")\n')
    runtime = root / "src/polster_runtime/domain/selection.py"
    runtime.parent.mkdir(parents=True)
    runtime.write_text('"""`gold_orders` is one asset."""\n')
    done = remove(root, "gold_orders")
    assert done.code == 0
    assert done.err == (
        "warning: what is removed is still mentioned in src/orchestration/jobs.py:2, README.md:3: "
        "look at it yourself\n"
    )


def test_a_file_that_cannot_be_read_may_need_it(root: Path) -> None:
    (root / "tests/test_all.py").write_text("from core import gold_orders\nx = (\n")
    assert refused(root, "gold_orders").startswith("error: tests/test_all.py:2:5: '(' was never")


def test_many_dependents_are_not_all_named(tmp_path: Path) -> None:
    many = {f"silver_s{number:02}": ("bronze_a",) for number in range(12)}
    root = write_project(tmp_path, shop({"bronze_a": (), **many})).root
    said = refused(root, "bronze_a")
    assert said.splitlines() == [
        "error: "
        + " and ".join(f"silver_s{number:02}" for number in range(10))
        + " and 2 more depend on bronze_a",
        "hint: remove them first; 12 assets are made from it in all",
    ]


def test_an_asset_that_shares_its_file_is_refused(root: Path) -> None:
    file = root / "src/orchestration/assets/gold/run_gold_orders.py"
    more = '\n\n@dg.asset(deps=["run_silver_orders"])\ndef run_gold_second() -> None: ...\n'
    file.write_text(file.read_text() + more)
    assert "run_gold_orders.py:" in (said := refused(root, "gold_orders"))
    assert "gold_second is defined in the same file as gold_orders" in said


def test_a_package_that_uses_the_asset_is_refused_at_its_line(root: Path) -> None:
    package = root / "src/orchestration/assets/gold/__init__.py"
    package.write_text(package.read_text() + "assets = [run_gold_orders, run_gold_revenue]\n")
    said = refused(root, "gold_orders")
    assert said.startswith("error: src/orchestration/assets/gold/__init__.py:7: run_gold_orders is")


def test_half_an_asset_can_be_removed(root: Path) -> None:
    (root / "src/core/gold_orders.py").unlink()
    (root / "src/orchestration/assets/gold/__init__.py").unlink()
    assert remove(root, "gold_orders").code == 0
    assert not (root / "src/orchestration/assets/gold/run_gold_orders.py").exists()
