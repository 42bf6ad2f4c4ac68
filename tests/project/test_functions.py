"""@asset functions and assets of no layer, as commands read them without running anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polster_core.model import layout
from polster_core.model.layers import AssetId, Layer
from polster_core.project.locate import Project
from tests.handmade import asset_file, init_file, polster, shop, write_project

ASSETS = "src/orchestration/assets"
HEAD = "from dagster import asset\nimport polars as pl\n\n"
BRONZE = """
@asset
def bronze_user_events():
    return pl.read_csv("events.csv")
"""
SILVER = """
@asset
def silver_clean_users(bronze_user_events):
    return bronze_user_events.filter(pl.col("user").is_not_null())
"""
GOLD = """
@asset
def gold_user_metrics(silver_clean_users: pl.DataFrame) -> pl.DataFrame:
    return silver_clean_users.group_by("user").len()
"""
KEYS = ["bronze_user_events", "silver_clean_users", "gold_user_metrics"]
REPORT = '''
import dagster as dg

@dg.asset(deps=["gold_user_metrics"])
def report() -> None:
    """A letter to the boss."""

@dg.multi_asset(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")])
def several(): ...
'''


def in_packages() -> dict[str, str]:
    """Return the three functions in files of their own, each registered in its layer."""
    found = {}
    for layer, code in (("bronze", BRONZE), ("silver", SILVER), ("gold", GOLD)):
        name = next(key for key in KEYS if key.startswith(layer))
        found[f"{ASSETS}/{layer}/{name}.py"] = HEAD + code
        line = f"from orchestration.assets.{layer}.{name} import {name}\n"
        found[f"{ASSETS}/{layer}/__init__.py"] = f'{line}\n__all__ = ["{name}"]\n'
    return found


def in_one_module() -> dict[str, str]:
    """Return the three functions in one module that definitions.py names."""
    return {
        f"{ASSETS}/users.py": HEAD + BRONZE + SILVER + GOLD,
        "src/orchestration/definitions.py": "from orchestration.assets import users\n",
    }


def in_definitions() -> dict[str, str]:
    """Return the three functions in definitions.py itself."""
    return {"src/orchestration/definitions.py": HEAD + BRONZE + SILVER + GOLD}


def in_core() -> dict[str, str]:
    """Return the three functions in core files, each registered in its layer."""
    found = {}
    for layer, code in (("bronze", BRONZE), ("silver", SILVER), ("gold", GOLD)):
        name = next(key for key in KEYS if key.startswith(layer))
        found[f"src/core/{name}.py"] = HEAD + code
        found[f"{ASSETS}/{layer}/__init__.py"] = f"from core.{name} import {name}\n"
    return found


def made(root: Path, *files: dict[str, str]) -> Project:
    """Write a project of an empty shop and some files."""
    merged = dict(shop({}))
    for each in files:
        merged |= each
    return write_project(root, merged)


def listed(root: Path) -> dict[str, Any]:
    """Return what list-assets tells."""
    document: dict[str, Any] = json.loads(polster(root, "list-assets", "--json").out)
    return document


@pytest.mark.parametrize("files", [in_packages, in_one_module, in_definitions, in_core])
def test_p6_functions_are_listed_drawn_and_validated(tmp_path: Path, files: Any) -> None:
    root = made(tmp_path, files()).root
    assets = listed(root)["assets"]
    assert [(one["key"], one["deps"]) for one in assets] == [
        (KEYS[0], []),
        (KEYS[1], [KEYS[0]]),
        (KEYS[2], [KEYS[1]]),
    ]
    assert [one["core_file"] for one in assets] == [None] * 3
    edges = json.loads(polster(root, "lineage", "--json").out)["edges"]
    assert edges == [{"from": KEYS[0], "to": KEYS[1]}, {"from": KEYS[1], "to": KEYS[2]}]
    validated = polster(root, "validate", "--json")
    problems = json.loads(validated.out)["problems"]
    assert (validated.code, [one["severity"] for one in problems]) == (0, ["warning"]), problems
    assert (
        problems[0]["message"] == "silver_clean_users is an @asset function, which has no contract"
    )


def test_p6_either_spelling_and_either_kind_may_depend_on_the_other(tmp_path: Path) -> None:
    ours = shop({"bronze_orders": [], "silver_users": ["bronze_user_events"]})
    theirs = {
        f"{ASSETS}/bronze/users.py": HEAD + BRONZE,
        f"{ASSETS}/silver/orders.py": HEAD
        + "@asset\ndef run_silver_orders(bronze_orders):\n    return bronze_orders\n",
        f"{ASSETS}/bronze/__init__.py": init_file(Layer.BRONZE, ["run_bronze_orders"])
        + "from orchestration.assets.bronze.users import bronze_user_events\n"
        + '__all__ += ["bronze_user_events"]\n',
        f"{ASSETS}/silver/__init__.py": init_file(Layer.SILVER, ["run_silver_users"])
        + "from orchestration.assets.silver.orders import run_silver_orders\n"
        + '__all__ += ["run_silver_orders"]\n',
    }
    root = write_project(tmp_path, {**ours, **theirs}).root
    edges = json.loads(polster(root, "lineage", "--json").out)["edges"]
    assert {(edge["from"], edge["to"]) for edge in edges} == {
        ("bronze_user_events", "run_silver_users"),
        ("run_bronze_orders", "run_silver_orders"),
    }
    validated = polster(root, "validate", "--json")
    problems = [one for one in json.loads(validated.out)["problems"] if one["severity"] == "error"]
    assert (validated.code, problems) == (0, [])


def test_p6_layer_rules_hold_for_functions(tmp_path: Path) -> None:
    wrong = "\n@asset\ndef gold_wrong(bronze_user_events):\n    return bronze_user_events\n"
    phantom = "\n@asset\ndef silver_lost(bronze_nothing):\n    return bronze_nothing\n"
    again = "\n@asset\ndef run_bronze_user_events():\n    return pl.DataFrame()\n"
    place = layout.current().definitions
    code = HEAD + BRONZE + wrong + phantom + again
    root = made(tmp_path, {"src/orchestration/definitions.py": code}).root
    found = json.loads(polster(root, "validate", "--json").out)["problems"]
    messages = {one["message"] for one in found if one["severity"] == "error"}
    assert messages == {
        "gold_wrong depends on bronze_user_events; gold may depend on silver only",
        "silver_lost depends on bronze_nothing, which no asset defines",
        f"run_bronze_user_events and bronze_user_events in {place}:6:5 are the same asset",
    }


def test_p6_a_function_that_nothing_loads_is_named(tmp_path: Path) -> None:
    root = made(tmp_path, {f"{ASSETS}/users.py": HEAD + BRONZE}).root
    found = json.loads(polster(root, "validate", "--json").out)["problems"]
    (problem,) = [one for one in found if one["severity"] == "error"]
    assert problem["message"].startswith("bronze_user_events is not loaded: ")
    assert problem["hint"] == "build_definitions([bronze, silver, gold, users])"


def test_p6_assets_of_no_layer_are_shown_and_left_alone(tmp_path: Path) -> None:
    root = made(tmp_path, in_packages(), {f"{ASSETS}/reports.py": REPORT}).root
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    document = listed(root)
    assert [one["key"] for one in document["assets"]] == KEYS
    assert document["others"] == [
        {
            "key": "report",
            "deps": ["gold_user_metrics"],
            "description": "A letter to the boss.",
            "asset_file": f"{ASSETS}/reports.py",
        }
    ]
    table = polster(root, "list-assets").out.splitlines()
    assert table[-1].split()[:3] == ["-", "report", "gold_user_metrics"]
    validated = polster(root, "validate", "--json")
    assert validated.code == 0, validated.out
    for command in (("rename-asset", "report", "letter"), ("remove-asset", "report", "--force")):
        refused = polster(root, *command)
        assert (refused.code, refused.out) == (2, "")
        assert "no asset is called report" in refused.err
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "command",
    [("rename-asset", "clean_users", "users"), ("remove-asset", "gold_user_metrics", "--force")],
)
def test_p6_functions_are_not_renamed_or_removed_by_half(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    root = made(tmp_path, in_packages()).root
    before = {path: path.read_bytes() for path in root.rglob("*.py")}
    refused = polster(root, *command)
    assert refused.code == 1
    assert "is an @asset function, which Polster does not" in refused.err
    assert {path: path.read_bytes() for path in root.rglob("*.py")} == before


def test_p6_renaming_follows_into_functions_that_take_the_asset(tmp_path: Path) -> None:
    ours = shop({"bronze_orders": []})
    code = "@asset\ndef silver_orders(bronze_orders):\n    return bronze_orders.head(3)\n"
    theirs = {"src/orchestration/definitions.py": HEAD + code}
    root = write_project(tmp_path, {**ours, **theirs}).root
    done = polster(root, "rename-asset", "bronze_orders", "sales")
    assert done.code == 0, done.err
    text = (root / "src/orchestration/definitions.py").read_text("utf-8")
    assert "def silver_orders(bronze_sales):\n    return bronze_sales.head(3)" in text
    assert listed(root)["assets"][1]["deps"] == ["run_bronze_sales"]


def test_p6_the_name_of_a_function_is_taken(tmp_path: Path) -> None:
    root = made(tmp_path, in_packages()).root
    refused = polster(root, "add-asset", "--layer", "bronze", "--name", "user_events")
    assert refused.code == 1
    assert f"exists already: {ASSETS}/bronze/bronze_user_events.py" in refused.err


def in_folders(root: Path) -> Path:
    """Return a project whose silver asset lies in a folder below its layer."""
    files = dict(shop({"bronze_orders": [], "silver_orders": ["bronze_orders"]}))
    del files[f"{ASSETS}/silver/run_silver_orders.py"]
    orders = _asset("silver_orders")
    files[f"{ASSETS}/silver/sales/run_silver_orders.py"] = asset_file(
        orders, [_asset("bronze_orders")]
    )
    files[f"{ASSETS}/silver/sales/__init__.py"] = ""
    files[f"{ASSETS}/silver/__init__.py"] = (
        "from orchestration.assets.silver.sales.run_silver_orders import run_silver_orders\n\n"
        '__all__ = ["run_silver_orders"]\n'
    )
    return write_project(root, files).root


def _asset(stem: str) -> AssetId:
    found = AssetId.parse(stem)
    assert found is not None
    return found


def test_p9_assets_in_folders_are_seen(tmp_path: Path) -> None:
    root = in_folders(tmp_path)
    validated = polster(root, "validate", "--json")
    assert (validated.code, json.loads(validated.out)["problems"]) == (0, [])
    silver = listed(root)["assets"][1]
    assert silver["asset_file"] == f"{ASSETS}/silver/sales/run_silver_orders.py"
    assert silver["deps"] == ["run_bronze_orders"]
    taken = polster(root, "add-asset", "--layer", "silver", "--name", "orders")
    assert (taken.code, "exists already" in taken.err) == (1, True)


def test_p9_assets_in_folders_are_renamed_whole(tmp_path: Path) -> None:
    root = in_folders(tmp_path)
    done = polster(root, "rename-asset", "silver_orders", "sales")
    assert done.code == 0, done.err
    assert listed(root)["assets"][1]["asset_file"] == f"{ASSETS}/silver/sales/run_silver_sales.py"
    validated = polster(root, "validate", "--json")
    assert (validated.code, json.loads(validated.out)["problems"]) == (0, [])
    package = (root / ASSETS / "silver/__init__.py").read_text("utf-8")
    assert "silver.sales.run_silver_sales import run_silver_sales" in package


def test_p9_assets_in_folders_are_removed_whole(tmp_path: Path) -> None:
    root = in_folders(tmp_path)
    done = polster(root, "remove-asset", "silver_orders", "--force")
    assert done.code == 0, done.err
    assert not (root / ASSETS / "silver/sales/run_silver_orders.py").exists()
    assert [one["key"] for one in listed(root)["assets"]] == ["run_bronze_orders"]
    validated = polster(root, "validate", "--json")
    assert (validated.code, json.loads(validated.out)["problems"]) == (0, [])
