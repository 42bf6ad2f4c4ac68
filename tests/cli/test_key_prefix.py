"""P5: `--key-prefix`: what commands write and show of a project whose keys begin with a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polster_core.project.locate import Project
from tests.handmade import polster, shop, write_project

SHOP = {"bronze_orders": [], "silver_orders": ["bronze_orders"]}
PYPROJECT = '[project]\nname = "shop"\n\n[tool.polster]\nkey-prefix = "lake"\n'


def test_init_writes_it_and_an_upgrade_keeps_it(tmp_path: Path) -> None:
    done = polster(tmp_path, "init", "shop", "--key-prefix", "lake", "--no-setup", "--no-git")
    assert done.code == 0, done.err
    root = tmp_path / "shop"
    assert '\nkey-prefix = "lake"\n' in (root / "pyproject.toml").read_text("utf-8")
    assert "`lake/run_silver_orders`" in (root / "README.md").read_text("utf-8")
    assert polster(root, "upgrade", "--check").code == 0
    assert polster(root, "validate").code == 0


@pytest.mark.parametrize("prefix", ["gold", "a/b", "", "1a", "x y"])
def test_init_refuses_what_no_key_can_begin_with(tmp_path: Path, prefix: str) -> None:
    done = polster(tmp_path, "init", "shop", "--key-prefix", prefix, "--no-setup", "--no-git")
    assert done.code == 2
    assert "cannot be a key prefix: use letters, digits, - and _" in done.err
    assert list(tmp_path.iterdir()) == []


def test_documents_for_machines_have_the_keys_of_dagster(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {**shop(SHOP), "pyproject.toml": PYPROJECT}).root
    (silver,) = json.loads(polster(root, "list-assets", "--select", "silver_orders", "--json").out)[
        "assets"
    ]
    assert (silver["key"], silver["deps"]) == ("lake/run_silver_orders", ["lake/run_bronze_orders"])
    lineage = json.loads(polster(root, "lineage", "--json").out)
    assert lineage["edges"] == [{"from": "lake/run_bronze_orders", "to": "lake/run_silver_orders"}]
    assert "lake" not in polster(root, "lineage").out
    assert Project(root).settings["key-prefix"] == "lake"
