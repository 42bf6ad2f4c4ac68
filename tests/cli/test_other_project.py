"""A bronze asset over the gold of another project: written, shown, and looked at again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polster_core.model.layers import AssetId, Layer
from polster_core.project.others import Source, read_other, source_of
from tests.handmade import polster, shop, write_project

CRM = {"bronze_raw": [], "silver_raw": ["bronze_raw"], "gold_customers": ["silver_raw"]}
SHOP = {"bronze_orders": [], "silver_orders": ["bronze_orders"], "gold_orders": ["silver_orders"]}
BRONZE = "src/core/bronze_customers.py"
DAGSTER = "src/orchestration/assets/bronze/run_bronze_customers.py"


def pyproject(name: str, prefix: str) -> str:
    line = f'key-prefix = "{prefix}"\n' if prefix else ""
    return f'[project]\nname = "{name}"\ndependencies = []\n\n[tool.polster]\n{line}'


@pytest.fixture
def projects(tmp_path: Path) -> tuple[Path, Path]:
    """Return a project that reads, and the one that is read."""
    roots = []
    for name, assets in (("shop", SHOP), ("crm", CRM)):
        files = {**shop(assets), "pyproject.toml": pyproject(name, name), ".env.example": ""}
        roots.append(write_project(tmp_path / name, files).root)
    return roots[0], roots[1]


def add(root: Path, source: str, name: str = "customers") -> tuple[int, str]:
    ran = polster(
        root,
        *("add-asset", "--layer", "bronze", "--name", name),
        *("--template", "project", "--from", source),
    )
    return ran.code, ran.out + ran.err


def findings(root: Path) -> list[tuple[str, str, str]]:
    problems = json.loads(polster(root, "validate", "--json").out)["problems"]
    return [
        (one["severity"], one["message"], one["hint"])
        for one in problems
        if one["rule"] == "other-project"
    ]


def test_it_is_written_and_drawn(projects: tuple[Path, Path]) -> None:
    root, crm = projects
    code, said = add(root, "../crm:gold_customers")
    assert code == 0, said
    text = (root / BRONZE).read_text("utf-8")
    assert 'source = Project("gold_customers", "../crm", columns=["id"])' in text
    text = (root / DAGSTER).read_text("utf-8")
    assert 'deps=[dg.AssetKey(["crm", "run_gold_customers"])]' in text
    assert "CRM_DATA=" in (root / ".env.example").read_text("utf-8")
    assert "polster_runtime.sources.project" in (root / "pyproject.toml").read_text("utf-8")
    assert findings(root) == []
    messages = [
        one["message"]
        for one in json.loads(polster(root, "validate", "--json").out)["problems"]
        if "customers" in json.dumps(one)
    ]
    assert messages == ["src/orchestration/utils.py has no source_retry"]  # a handmade one
    assert "crm/gold_customers" in polster(root, "list-assets").out
    (bronze,) = json.loads(polster(root, "list-assets", "--select", "customers", "--json").out)[
        "assets"
    ]
    assert (bronze["key"], bronze["deps"]) == (
        "shop/run_bronze_customers",
        ["crm/run_gold_customers"],
    )
    tree = polster(root, "lineage", "--select", "customers").out
    assert tree.split() == ["crm/gold_customers", "───", "bronze_customers"]
    drawn = json.loads(polster(root, "lineage", "--json").out)
    assert {"from": "crm/run_gold_customers", "to": "shop/run_bronze_customers"} in drawn["edges"]
    for form in ("mermaid", "svg", "html"):
        assert "crm/gold_customers" in polster(root, "lineage", "--format", form).out
    found = source_of(root, AssetId(Layer.BRONZE, "customers"))
    assert found == Source("gold_customers", "../crm")
    other = read_other(crm)
    assert other is not None
    assert (other.name, other.key_prefix) == ("crm", "crm")


def test_what_the_other_project_changes_is_noticed(projects: tuple[Path, Path]) -> None:
    root, crm = projects
    assert add(root, "../crm:customers")[0] == 0
    ran = polster(
        crm, "rename-asset", "--layer", "gold", "--name", "customers", "--new-name", "customer"
    )
    assert ran.code == 0, ran.err
    assert findings(root) == [
        (
            "error",
            "crm has no gold_customers, which bronze_customers reads",
            "Did you mean gold_customer?",
        )
    ]
    polster(crm, "rename-asset", "--layer", "gold", "--name", "customer", "--new-name", "customers")
    assert findings(root) == []
    (crm / "pyproject.toml").write_text(pyproject("crm", "sales"), encoding="utf-8")
    assert findings(root) == [
        (
            "error",
            "bronze_customers depends on crm/gold_customers, and the keys of crm begin with sales/",
            'deps=[dg.AssetKey(["sales", "run_gold_customers"])]',
        )
    ]
    crm.rename(crm.with_name("gone"))
    ((severity, message, _),) = findings(root)
    assert severity == "warning"
    assert (
        message == "there is no project in ../crm, which bronze_customers reads gold_customers of"
    )
    (root / BRONZE).write_text(
        (root / BRONZE).read_text("utf-8").replace("gold_customers", "gold_other"), encoding="utf-8"
    )
    ((_, message, _),) = findings(root)
    assert message == "bronze_customers depends on crm/gold_customers, and reads gold_other"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("crm", "--from is the folder of a project and its gold asset, not 'crm'"),
        ("../nobody:gold_a", "there is no Polster project in ../nobody"),
        (".:gold_orders", "--from names this project"),
        ("../shop:gold_orders", "--from names this project"),
        ("../crm:silver_raw", "silver_raw of crm is silver; of other projects only gold is read"),
        ("../crm:gold_customer", "crm has no asset gold_customer. Did you mean gold_customers?"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    projects: tuple[Path, Path], source: str, said: str
) -> None:
    code, told = add(projects[0], source)
    assert (code, told.count("error:")) == (2, 1)
    assert said in told
    assert not (projects[0] / BRONZE).exists()


@pytest.mark.parametrize("prefix", ["", "shop"])
def test_keys_that_nothing_tells_apart_are_refused(
    projects: tuple[Path, Path], prefix: str
) -> None:
    (projects[1] / "pyproject.toml").write_text(pyproject("crm", prefix), encoding="utf-8")
    code, said = add(projects[0], "../crm:gold_customers")
    assert code == 2
    assert "the keys of crm " in said
    assert 'set  key-prefix = "crm"  in [tool.polster] of ../crm/pyproject.toml' in said


def test_the_prefix_that_is_proposed_is_another(projects: tuple[Path, Path]) -> None:
    for root, name in zip(projects, ("shop", "crm"), strict=True):
        (root / "pyproject.toml").write_text(pyproject(name, "crm"), encoding="utf-8")
    code, said = add(projects[0], "../crm:gold_customers")
    assert code == 2
    assert "hint: give one of the two another key-prefix, in [tool.polster]: here, or of " in said


def test_a_circle_through_two_projects_is_refused_and_found(projects: tuple[Path, Path]) -> None:
    root, crm = projects
    assert add(crm, "../shop:gold_orders", "orders")[0] == 0
    silver = crm / "src/orchestration/assets/silver/run_silver_raw.py"
    text = silver.read_text("utf-8").replace("run_bronze_raw", "run_bronze_orders")
    silver.write_text(text, encoding="utf-8")
    before = root / "src/orchestration/assets/silver/run_silver_orders.py"
    text = before.read_text("utf-8").replace("run_bronze_orders", "run_bronze_customers")
    before.write_text(text, encoding="utf-8")
    way = (
        "bronze_customers -> silver_orders -> gold_orders -> crm/bronze_orders -> crm/silver_raw "
        "-> crm/gold_customers -> bronze_customers"
    )
    code, said = add(root, "../crm:gold_customers")
    assert code == 2
    assert f"bronze_customers would depend on itself: {way}" in said
    text = before.read_text("utf-8")
    before.write_text(text.replace("run_bronze_customers", "run_bronze_orders"), encoding="utf-8")
    assert add(root, "../crm:gold_customers")[0] == 0
    assert findings(root) == []
    before.write_text(text, encoding="utf-8")
    ((_, message, _),) = findings(root)
    assert message == f"bronze_customers depends on itself: {way}"
