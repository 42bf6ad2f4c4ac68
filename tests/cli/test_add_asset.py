"""`polster add-asset` without a terminal: what it writes, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polster_core.testing.projects import tree
from tests.handmade import Ran, polster, shop, write_project

SHOP = {
    "bronze_raw_orders": (),
    "bronze_customers": (),
    "silver_orders": ("bronze_raw_orders",),
    "silver_customers": ("bronze_customers",),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with four assets."""
    return write_project(tmp_path / "shop", shop(SHOP)).root


def add(root: Path, *args: str) -> Ran:
    return polster(root, "add-asset", *args)


def refused(root: Path, *args: str, code: int = 2) -> str:
    """Return what is said when an asset is refused, which changes nothing."""
    before = tree(root)
    done = add(root, *args)
    assert (done.code, done.out) == (code, "")
    assert tree(root) == before
    return done.err


def test_a_gold_asset_says_what_to_do_next(root: Path) -> None:
    done = add(root, "--layer", "gold", "--name", "revenue", "--dependencies", "orders")
    assert done == Ran(
        0,
        "  create  src/core/gold_revenue.py                   write aggregate(orders) here\n"
        "  create  src/orchestration/assets/gold/run_gold_revenue.py\n"
        "  create  tests/test_gold_revenue.py\n"
        "  update  src/orchestration/assets/gold/__init__.py  +5 -1 lines\n",
        "",
    )
    assert polster(root, "list-assets", "--layer", "gold").out == (
        "LAYER  ASSET    DEPENDS ON  DESCRIPTION\ngold   revenue  orders      Revenue.\n"
    )


def test_what_is_written_is_valid_but_for_the_stub(root: Path) -> None:
    words = 'Revenue by month, "all" of it'
    flags = ("--dependencies", "orders,silver_customers", "--description", words)
    assert add(root, "--layer", "gold", "--name", "revenue", *flags).code == 0
    done = polster(root, "validate")
    assert done.out.splitlines()[0].split("  ")[0] == "src/core/gold_revenue.py:26:5"
    assert "1 problem (1 error)" in done.out
    core = (root / "src/core/gold_revenue.py").read_text()
    assert "def aggregate(orders: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:\n" in core
    asset = (root / "src/orchestration/assets/gold/run_gold_revenue.py").read_text()
    assert f'    """{words}"""\n' in asset


def test_the_upstream_asset_of_the_same_name_is_the_default(root: Path) -> None:
    assert add(root, "--layer", "gold", "--name", "orders").code == 0
    assert (
        'deps=["run_silver_orders"]'
        in (root / "src/orchestration/assets/gold/run_gold_orders.py").read_text()
    )


def test_a_dry_run_shows_the_diff_and_changes_nothing(root: Path) -> None:
    before = tree(root)
    done = add(root, "--layer", "bronze", "--name", "products", "--dry-run")
    assert done.code == 0
    assert "+def extract() -> pl.LazyFrame:\n" in done.out
    assert "+from orchestration.assets.bronze.run_bronze_products import" in done.out
    assert done.out.endswith("\nnothing was changed (--dry-run)\n")
    assert tree(root) == before


@pytest.mark.parametrize(
    ("layer", "name", "dependencies", "reason", "hint"),
    [
        (
            "gold",
            "revenue",
            None,
            "gold assets need at least one silver asset: missing option `--dependencies`",
            "silver assets here: customers, orders",
        ),
        (
            "gold",
            "revenue",
            "raw_orders",
            "gold assets may depend on silver only; raw_orders is bronze",
            "silver_orders may be what you want",
        ),
        (
            "gold",
            "orders",
            "gold_orders",
            "gold_orders cannot depend on itself",
            "silver assets here: customers, orders",
        ),
        (
            "gold",
            "revenue",
            "order",
            "no silver asset is called order. Did you mean orders?",
            "silver assets here: customers, orders",
        ),
        (
            "gold",
            "revenue",
            "orders,run_silver_orders",
            "orders is listed twice in --dependencies",
            None,
        ),
        (
            "silver",
            "clean",
            "orders",
            "silver assets may depend on bronze only; orders is silver",
            "bronze assets here: customers, raw_orders",
        ),
        (
            "bronze",
            "products",
            "customers",
            "bronze assets may depend on nothing",
            "leave out --dependencies",
        ),
        (
            "silver",
            "import",
            "raw_orders",
            "'import' cannot be an asset's name: it is a word of the Python language",
            "for example  import_data",
        ),
        (
            "silver",
            "silver_orders",
            "raw_orders",
            "silver_orders names the layer, which is added anyway",
            "for example  orders",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    root: Path, layer: str, name: str, dependencies: str | None, reason: str, hint: str | None
) -> None:
    given = () if dependencies is None else ("--dependencies", dependencies)
    said = refused(root, "--layer", layer, "--name", name, *given)
    assert said == f"error: {reason}\n" + (f"hint: {hint}\n" if hint else "")


def test_a_name_in_capitals_is_refused_with_a_better_one(root: Path) -> None:
    said = refused(root, "--layer", "silver", "--name", "Orders2", "--dependencies", "customers")
    assert said.startswith("error: 'Orders2' cannot be an asset's name: use lower-case letters,")
    assert said.endswith("\nhint: for example  orders2\n")


def test_the_way_to_gold_is_shown_where_silver_is_missing(tmp_path: Path) -> None:
    root = write_project(tmp_path, shop({"bronze_raw_orders": (), "bronze_a": ()})).root
    said = refused(root, "--layer", "gold", "--name", "revenue", "--dependencies", "raw_orders")
    assert said.splitlines()[1] == (
        "hint: add a silver asset on top of it:  polster add-asset --layer silver --name orders "
        "--dependencies raw_orders"
    )
    said = refused(root, "--layer", "gold", "--name", "revenue")
    assert said.splitlines()[1] == (
        "hint: there is no silver asset yet:  polster add-asset --layer silver --name NAME"
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("src/core/silver_products.py", "src/core/silver_products.py"),
        ("tests/test_silver_products.py", "tests/test_silver_products.py"),
        (
            "src/core/silver_Products.py",
            "src/core/silver_Products.py, and some disks do not tell upper from lower case",
        ),
    ],
)
def test_nothing_is_overwritten(root: Path, path: str, said: str) -> None:
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text("# mine\n")
    found = refused(
        root, "--layer", "silver", "--name", "products", "--dependencies", "customers", code=1
    )
    assert found == (f"error: silver_products exists already: {said}\nhint: choose another name\n")


def test_outside_a_project_it_says_so(tmp_path: Path) -> None:
    said = refused(tmp_path, "--layer", "bronze", "--name", "orders", code=1)
    assert said == (
        f"error: {tmp_path} is not in a Polster project\n"
        "hint: go to one, or make one with  polster init NAME\n"
    )


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("--name", "orders"), "missing option `--layer`"),
        (("--layer", "bronze"), "missing option `--name`"),
        (
            ("--layer", "bronze", "--name", "x", "--template", "cvs"),
            "there is no template cvs. Did",
        ),
        (("--layer", "bronze", "--name", "x", "--template", "csv"), "--template csv needs --path"),
        (
            ("--layer", "bronze", "--name", "x", "--path", "a"),
            "--path belongs to --template csv or",
        ),
        (
            ("--layer=silver", "--name=x", "--dependencies=customers", "--template=csv"),
            "--template csv writes bronze assets only",
        ),
        (
            ("--layer", "bronze", "--name", "x", "--template", "csv", "--path", " "),
            "--path is the path of a file",
        ),
    ],
)
def test_missing_and_idle_flags_are_named(root: Path, args: tuple[str, ...], reason: str) -> None:
    assert refused(root, *args).startswith(f"error: {reason}")


def test_a_package_that_cannot_be_edited_is_named_with_its_line(root: Path) -> None:
    package = root / "src/orchestration/assets/bronze/__init__.py"
    package.write_text("from glob import glob\n\n__all__ = [name for name in glob('*')]\n")
    said = refused(root, "--layer", "bronze", "--name", "x", code=1)
    assert said == (
        "error: src/orchestration/assets/bronze/__init__.py:3: __all__ is not written out as a "
        "list\n"
        'hint: write it out:  __all__ = ["run_bronze_x", ...]\n'
    )


def test_a_write_protected_package_is_refused(root: Path) -> None:
    package = root / "src/orchestration/assets/bronze/__init__.py"
    package.chmod(0o444)
    said = refused(root, "--layer", "bronze", "--name", "x", code=1)
    assert said == "error: src/orchestration/assets/bronze/__init__.py is write-protected\n"


def test_a_src_that_leads_out_of_the_project_is_refused(root: Path) -> None:
    (root / "src").rename(root.parent / "elsewhere")
    (root / "src").symlink_to(root.parent / "elsewhere")
    before = tree(root.parent / "elsewhere")
    said = refused(root, "--layer", "bronze", "--name", "x", code=1)
    assert "src/core/bronze_x.py leads out of the project" in said
    assert tree(root.parent / "elsewhere") == before


def test_a_src_that_is_a_link_within_the_project_is_fine(root: Path) -> None:
    (root / "src").rename(root / "code")
    (root / "src").symlink_to("code")
    assert add(root, "--layer", "bronze", "--name", "x").code == 0
    assert (root / "code/core/bronze_x.py").is_file()
    assert (root / "src").is_symlink()


def test_it_works_from_any_folder_below(root: Path) -> None:
    assert add(root / "src/core", "--layer", "bronze", "--name", "x").code == 0
    assert (root / "src/core/bronze_x.py").is_file()


def test_a_dependency_in_a_file_of_another_name_is_found(root: Path) -> None:
    old = root / "src/orchestration/assets/silver/run_silver_orders.py"
    old.rename(old.with_name("sales.py"))
    (root / "src/core/silver_orders.py").unlink()
    assert add(root, "--layer", "gold", "--name", "x", "--dependencies", "orders").code == 0


def test_a_template_brings_its_requirement_and_says_so(root: Path) -> None:
    pyproject = root / "pyproject.toml"
    pyproject.write_bytes(
        b'# mine\r\n[project]\r\nname = "shop"\r\ndependencies = [\r\n  "polars",  # fast\r\n]\r\n'
        b"\r\n[tool.polster]\r\n"
    )
    flags = ("--template", "excel", "--path", "in/*.xlsx", "--sheet", "May")
    done = add(root, "--layer", "bronze", "--name", "sheets", *flags)
    assert done.code == 0, done.err
    assert done.out.endswith("\nNext:\n  polster setup   install what it needs\n")
    assert pyproject.read_bytes() == (
        b'# mine\r\n[project]\r\nname = "shop"\r\ndependencies = [\r\n'
        b'  "fastexcel>=0.14,<1",\r\n  "polars",  # fast\r\n  "python-calamine>=0.4,<1",\r\n]\r\n'
        b"\r\n[tool.polster]\r\n"
    )
    core = (root / "src/core/bronze_sheets.py").read_text()
    assert 'return read_excel(FILES, sheet="May")\n' in core


def test_without_a_list_of_dependencies_a_template_cannot_add_one(root: Path) -> None:
    flags = ("--template", "excel", "--path", "in/*.xlsx")
    said = refused(root, "--layer", "bronze", "--name", "sheets", *flags, code=1)
    assert said.startswith("error: pyproject.toml has no list of dependencies to add fastexcel")


def test_crlf_stays_crlf(root: Path) -> None:
    package = root / "src/orchestration/assets/bronze/__init__.py"
    package.write_bytes(package.read_bytes().replace(b"\n", b"\r\n"))
    assert add(root, "--layer", "bronze", "--name", "x").code == 0
    assert b"\n" not in package.read_bytes().replace(b"\r\n", b"")


def test_a_missing_package_is_written(root: Path) -> None:
    package = root / "src/orchestration/assets/gold/__init__.py"
    package.unlink()
    assert add(root, "--layer", "gold", "--name", "orders").code == 0
    assert package.read_text() == (
        '"""The gold assets."""\n\n'
        "from orchestration.assets.gold.run_gold_orders import run_gold_orders\n\n"
        '__all__: list[str] = [\n    "run_gold_orders",\n]\n'
    )


def test_nothing_heavy_is_imported(root: Path) -> None:
    from tests.machine import python

    code = (
        "import os, sys; from polster_core.cli.main import dispatch; "
        "dispatch(['add-asset', '--layer', 'bronze', '--name', 'x', '--dry-run']); "
        "heavy = {'dagster', 'polars', 'questionary', 'dataframely', 'fsspec', 'core'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = python("-c", code, cwd=root, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
