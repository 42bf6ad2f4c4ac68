"""What the connectors write: clean code, tests that pass, and nothing for those not used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.connectors.conftest import MakeShop, Shop, succeed
from tests.connectors.programs import program

API = "http://127.0.0.1:9/orders"
ADDED = {
    "customers": ("mysql", "--cursor", "updated_at", "--lag", "15m", "--bad-dates", "null"),
    "items": ("mysql", "--query", 'SELECT "a" FROM b', "--connection", "crm"),
    "orders": ("api", "--url", API),
    "files": ("sftp", "--pattern", "/out/*.csv"),
}
LIBRARIES = {"pymysql", "requests", "ijson", "dlt", "asyncssh", "paramiko", "cryptography"}


@pytest.fixture
def written(project: MakeShop) -> Shop:
    """Return a project with an asset of each connector, and connectors.py copied as told."""
    shop = project()
    for name, (template, *options) in ADDED.items():
        shop.add_asset(name, "--template", template, *options)
    copied = shop.root / "docs/connectors/connectors.py.template"
    (shop.root / "src/core/connectors.py").write_bytes(copied.read_bytes())
    return shop


def test_it_is_clean_and_tested(written: Shop) -> None:
    shop = written
    succeed(shop.tool("ruff", "check", "."))
    succeed(shop.tool("ruff", "format", "--check", "."))
    own = [file.stem for file in (shop.root / "src/core").glob("bronze_*.py")]
    modules = ["core.connectors", *(f"core.{stem}" for stem in own)]
    checked = ["-p", "polster_runtime.sources", *(w for one in modules for w in ("-m", one))]
    succeed(shop.tool("mypy", *checked))
    succeed(shop.pytest())


def test_what_is_not_used_is_neither_required_nor_imported(project: MakeShop) -> None:
    shop = replace(project(), cold=True)  # a warm one has imported what other tests need
    shop.add("bronze_plain", "def extract() -> pl.DataFrame:\n    return pl.DataFrame()")
    before = (shop.root / "pyproject.toml").read_text("utf-8")
    assert not [name for name in LIBRARIES if f'"{name}' in before]
    sources = shop.root / "src/polster_runtime/sources"
    assert {path.name for path in sources.iterdir() if path.is_dir()} <= {"__pycache__", "files"}
    always = ("core.storage", "polster_runtime.execution.materialize", "polster_runtime.cli.doctor")
    loaded = set(shop.document(program("modules"), *always, "core.bronze_plain"))
    assert not LIBRARIES & loaded
    shop.add_mysql("orders")
    after = (shop.root / "pyproject.toml").read_text("utf-8")
    assert [name for name in sorted(LIBRARIES) if f'"{name}' in after] == ["pymysql"]
    assert (sources / "mysql").is_dir()
    assert not (sources / "api").exists()
    assert not (sources / "sftp").exists()
    loaded = set(shop.document(program("modules"), "core.bronze_orders"))
    assert not (LIBRARIES - {"pymysql", "cryptography"}) & loaded


def test_two_assets_share_a_connector(project: MakeShop) -> None:
    shop = project()
    shop.add_mysql("orders")
    plan = shop.polster(
        *("add-asset", "--layer", "bronze", "--name", "items", "--template", "mysql", "--dry-run")
    )
    assert "src/polster_runtime/sources/mysql" not in succeed(plan).stdout
    shop.add_mysql("items", "--connection", "crm")
    variables = (shop.root / ".env.example").read_text("utf-8")
    assert variables.count("MYSQL_HOST=") == variables.count("CRM_HOST=") == 1
