"""Column lineage: asked of Polars, kept in the footer, told to Dagster, drawn."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from polster_core.environment.venv import folder
from polster_core.lineage import columns
from tests.generated.conftest import MakeProject, maker
from tests.generated.projects import execute, told
from tests.lineage.test_html import CHROMIUM
from tests.quality.test_guides import with_environment

BRONZE = """
def extract() -> pl.DataFrame:
    return pl.DataFrame({"id": [1, 2], "a": [1, 2], "b": [3, 4], "unused": [0, 0]})
"""
CONTRACT = """
class Contract(dy.Schema):
    id = dy.Int64()
"""
FUNCTIONS = {
    "a filter counts": (
        'df.filter(pl.col("b") > 0).select("id", twice=pl.col("a") * 2)',
        {"id": ["b", "id"], "twice": ["a", "b"]},
        False,
    ),
    "a group's key counts": (
        'df.group_by("id").agg(total=pl.col("a").sum())',
        {"id": ["id"], "total": ["a", "id"]},
        False,
    ),
    "what collects is opaque": (
        'df.select(pl.lit(df.collect()["a"].sum()).alias("id"))',
        {"id": ["id", "a", "b", "unused"]},
        True,
    ),
    "what fails without rows is opaque": (
        'df.select(pl.lit(df.select("a").collect().row(0)[0], pl.Int64).alias("id"))',
        {"id": ["id", "a", "b", "unused"]},
        True,
    ),
}


@pytest.fixture(scope="module")
def told_of(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, templates: Mapping[bool, Path]
) -> Mapping[str, list[dict[str, Any]]]:
    """Return what `python -m polster_runtime lineage` says of a silver asset for each function."""
    shop = maker(tmp_path_factory.mktemp("columns"), runtime, templates)(samples=False)
    shop.add("bronze_x", BRONZE)
    names = {f"silver_x{number}": function for number, function in enumerate(FUNCTIONS)}
    for name, function in names.items():
        code, _, is_opaque = FUNCTIONS[function]
        code = f"def transform(df: pl.LazyFrame) -> pl.LazyFrame:\n    return {code}"
        code = f"{CONTRACT}\n\n{code}" if is_opaque else code
        shop.add(name, code, ["bronze_x"])
    assert shop.run().returncode == 0
    done = shop.python("-m", "polster_runtime", "lineage")
    assert done.returncode == 0, told(done)
    columns = json.loads(done.stdout)["columns"]
    return {
        function: [one for one in columns if one["asset"] == name]
        for name, function in names.items()
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_polars_tells(told_of: Mapping[str, list[dict[str, Any]]], function: str) -> None:
    _, made_of, opaque = FUNCTIONS[function]
    found = told_of[function]
    assert {one["column"]: [up["column"] for up in one["from"]] for one in found} == made_of
    assert all(one["opaque"] is opaque for one in found)


def test_dagster_is_told_and_nothing_is_asked_twice(project: MakeProject) -> None:
    shop = project()
    assert shop.run().returncode == 0
    assert shop.program("column_lineage").stdout.split() == [
        "run_silver_example.amount",
        "run_silver_example.customer_id",
        "run_silver_example.segment",
    ]
    assert shop.program("count_lineage_calls").stdout == "0\n"
    core = shop.root / "src/core/silver_example.py"
    core.write_text(core.read_text("utf-8") + "# changed\n", encoding="utf-8")
    assert shop.program("count_lineage_calls").stdout == "1\n"


def test_the_way_of_a_column() -> None:
    def one(asset: str, column: str, *made: str) -> dict[str, Any]:
        ups = [dict(zip(("asset", "column"), up.split("."), strict=True)) for up in made]
        return {"asset": asset, "column": column, "opaque": False, "from": ups}

    document = json.dumps(
        {
            "columns": [
                one("silver_x", "id", "bronze_x.id", "bronze_x.flag"),
                one("silver_x", "net", "bronze_x.gross", "bronze_x.tax", "bronze_x.flag"),
                one("gold_x", "total", "silver_x.net"),
            ]
        }
    )
    found = columns.parse(document)
    assert list(columns.lines(found, columns.known(found, "x.total"))) == [
        "gold_x.total",
        "└─ silver_x.net",
        "   │  rows: bronze_x.flag",
        "   ├─ bronze_x.gross",
        "   └─ bronze_x.tax",
    ]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser.new_page(viewport={"width": 1400, "height": 1000})
        browser.close()


def test_the_page_draws_the_way_of_a_column(project: MakeProject, page: Page) -> None:
    shop = with_environment(project())
    assert shop.run().returncode == 0
    path = f"{folder(shop.root) / 'bin'}{os.pathsep}{Path(sys.executable).parent}"
    env = shop.variables({"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"})
    command = [sys.executable, "-m", "polster_core", "lineage", "--columns", "-o", "lineage.html"]
    done = execute(command, cwd=shop.root, env=env)
    assert done.returncode == 0, told(done)
    page.goto((shop.root / "lineage.html").as_uri() + "#gold_example")
    page.get_by_role("button", name="growth_percent").click()
    way = page.locator("#way code")
    expect(way).to_have_text(
        ["gold_example.growth_percent", "silver_example.ordered_at", "bronze_example.ordered_at"]
    )
    expect(page.locator(".node.on")).to_have_count(3)
