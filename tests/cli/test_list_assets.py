"""`polster list-assets`."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from polster_core.project.locate import Project
from tests.handmade import polster, shop, write_project

SHOP = {
    "bronze_orders": [],
    "bronze_customers": [],
    "silver_orders": ["bronze_orders", "bronze_customers"],
    "gold_revenue": ["silver_orders"],
}
TABLE = """\
LAYER   ASSET      DEPENDS ON         DESCRIPTION
bronze  customers                     The customers of bronze.
bronze  orders                        The orders of bronze.
silver  orders     orders, customers  The orders of silver.
gold    revenue    orders             The revenue of gold.
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path / "shop", shop(SHOP))


def test_the_table(project: Project) -> None:
    ran = polster(project.root / "src" / "core", "list-assets")
    assert (ran.code, ran.out, ran.err) == (0, TABLE, "")


def test_json_is_one_document_in_the_published_form(project: Project) -> None:
    ran = polster(project.root, "list-assets", "--select", "silver_orders", "--json")
    assert json.loads(ran.out) == {
        "assets": [
            {
                "key": "run_silver_orders",
                "layer": "silver",
                "name": "orders",
                "deps": ["run_bronze_orders", "run_bronze_customers"],
                "description": "The orders of silver.",
                "core_file": "src/core/silver_orders.py",
                "asset_file": "src/orchestration/assets/silver/run_silver_orders.py",
            }
        ]
    }
    assert ran == polster(
        project.root, "list-assets", "--select", "silver_orders", "--format", "json"
    )


def test_the_schema_describes_what_is_printed(project: Project) -> None:
    schema = json.loads(polster(Path("/"), "list-assets", "--response-schema").out)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    printed = json.loads(polster(project.root, "list-assets", "--json").out)
    validator.validate(printed)
    printed["assets"][0]["layer"] = "platinum"
    assert not validator.is_valid(printed)


def test_one_layer_and_a_selection(project: Project) -> None:
    ran = polster(project.root, "list-assets", "--layer", "bronze", "--select", "+revenue")
    assert [line.split()[:2] for line in ran.out.splitlines()[1:]] == [
        ["bronze", "customers"],
        ["bronze", "orders"],
    ]


def test_a_dependency_of_another_layer_is_shown_with_it(tmp_path: Path) -> None:
    files = shop({"bronze_orders": [], "gold_revenue": ["bronze_orders"]})
    ran = polster(write_project(tmp_path, files).root, "list-assets", "--layer", "gold")
    assert ran.out.splitlines()[1] == "gold   revenue  bronze_orders  The revenue of gold."


def test_nothing_to_list(tmp_path: Path) -> None:
    root = write_project(tmp_path, {}).root
    ran = polster(root, "list-assets")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "there are no assets yet\nhint: make one with  polster add-asset\n"
    assert polster(root, "list-assets", "--json").out == '{"assets": []}\n'


def test_a_broken_file_is_listed_by_its_name_and_said(project: Project) -> None:
    path = project.assets / "silver" / "run_silver_orders.py"
    path.write_text("def broken(:\n")
    ran = polster(project.root, "list-assets")
    assert (ran.code, ran.err) == (
        0,
        "warning: 1 file could not be read: see  polster validate\n",
    )
    assert "silver  orders" in ran.out
    printed = json.loads(polster(project.root, "list-assets", "--json").out)
    assert [asset["deps"] for asset in printed["assets"]] == [[], [], [], ["run_silver_orders"]]


@pytest.mark.parametrize(
    ("args", "code", "err"),
    [
        (
            ["--select", "revenu"],
            2,
            "error: no asset is called revenu. Did you mean revenue?\n",
        ),
        (["--layer", "sliver"], 2, "error: invalid value for '--layer'"),
    ],
)
def test_what_cannot_be_meant(project: Project, args: list[str], code: int, err: str) -> None:
    ran = polster(project.root, "list-assets", *args)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(err)


def test_outside_a_project(tmp_path: Path) -> None:
    ran = polster(tmp_path, "list-assets")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"error: {tmp_path} is not in a Polster project\n"
        "hint: go to one, or make one with  polster init NAME\n"
    )
