"""What the connectors write: clean code, tests that pass, and nothing for those not used."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace

import pytest

from tests.connectors.conftest import MakeShop, Shop, succeed
from tests.connectors.mariadb import MariaDB

API = "http://127.0.0.1:9/orders"
ADDED = {
    "customers": ("mysql", "--cursor", "updated_at", "--lag", "15m", "--bad-dates", "null"),
    "items": ("mysql", "--query", 'SELECT "a" FROM b', "--connection", "crm"),
    "orders": ("api", "--url", API),
    "files": ("sftp", "--pattern", "/out/*.csv"),
}
LIBRARIES = {"pymysql", "requests", "ijson", "dlt", "asyncssh", "paramiko", "cryptography"}
LOADED = """
import json, sys
import core.storage, polster_runtime.execution.materialize, polster_runtime.cli.doctor, core.bronze_plain
print(json.dumps(sorted(sys.modules)))
"""


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
    checked = ["-p", "core.sources", *(word for one in modules for word in ("-m", one))]
    succeed(shop.tool("mypy", "--follow-imports=silent", *checked))
    succeed(shop.pytest())


def test_the_modules_go_into_one_file(written: Shop) -> None:
    """No name of one of them hides that of another."""
    modules = (written.root / "src/core/sources").glob("[!_]*.py")
    defined = Counter(name for one in modules for name in names_of(one.read_text("utf-8")))
    assert [name for name, count in defined.items() if count > 1] == []
    copied = (written.root / "src/core/connectors.py").read_text("utf-8")
    assert names_of(copied) == set(defined)


def names_of(text: str) -> set[str]:
    """Return what a module defines."""
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            given = node.targets if isinstance(node, ast.Assign) else [node.target]
            leaves = [leaf for one in given for leaf in ast.walk(one)]
            names |= {leaf.id for leaf in leaves if isinstance(leaf, ast.Name)}
    return names - {"__all__"}


def test_what_is_copied_works(project: MakeShop, mariadb: MariaDB) -> None:
    """A function of one's own, with connectors.py alone."""
    shop = project()
    shop.env(**mariadb.variables())
    copied = shop.root / "docs/connectors/connectors.py.template"
    (shop.root / "src/core/connectors.py").write_bytes(copied.read_bytes())
    code = """
    from contextlib import closing
    from core.connectors import connect_mysql, fetch_mysql_data

    def extract() -> pl.DataFrame:
        with closing(connect_mysql()) as session, session.cursor() as cursor:
            cursor.execute("SELECT 40")
            (row,) = cursor.fetchall()
        (frame,) = fetch_mysql_data("SELECT %s AS answer", (row[0] + 2,))
        return frame
    """
    shop.add("bronze_answer", code)
    succeed(shop.core("bronze_answer"))
    assert shop.rows("bronze_answer") == [{"answer": 42}]
    guides = {path.name for path in (shop.root / "docs/connectors").iterdir()}
    names = {"connect_mysql", "fetch_mysql_data", "fetch_api_data"}
    names |= {"download_sftp_files", "load_sftp_data"}
    told = (shop.root / "docs/connectors/integration.md").read_text("utf-8")
    assert guides == {
        *(f"{name}-guide.md" for name in ("mysql", "api", "sftp")),
        *("integration.md", "connectors.py.template"),
    }
    assert all(name in told for name in names)


def test_examples_of_the_guides_are_python(project: MakeShop) -> None:
    for guide in (project().root / "docs/connectors").glob("*.md"):
        blocks = guide.read_text("utf-8").split("```python\n")[1:]
        for block in blocks:
            compile(block.partition("\n```")[0], guide.name, "exec")
        assert blocks or guide.stem != "integration"


def test_what_is_not_used_is_neither_required_nor_imported(project: MakeShop) -> None:
    shop = replace(project(), cold=True)  # a warm one has imported what other tests need
    shop.add("bronze_plain", "def extract() -> pl.DataFrame:\n    return pl.DataFrame()")
    before = (shop.root / "pyproject.toml").read_text("utf-8")
    assert not [name for name in LIBRARIES if f'"{name}' in before]
    assert not (shop.root / "src/core/sources").exists()
    loaded = set(shop.document("-c", LOADED))
    assert not LIBRARIES & loaded
    shop.add_mysql("orders")
    after = (shop.root / "pyproject.toml").read_text("utf-8")
    assert [name for name in sorted(LIBRARIES) if f'"{name}' in after] == ["pymysql"]
    assert not list((shop.root / "src/core/sources").glob("[as]*.py"))
    code = "import json, sys, core.bronze_orders; print(json.dumps(sorted(sys.modules)))"
    loaded = set(shop.document("-c", code))
    assert not (LIBRARIES - {"pymysql", "cryptography"}) & loaded


def test_two_assets_share_a_connector(project: MakeShop) -> None:
    """What the user has changed in it stays."""
    shop = project()
    shop.add_mysql("orders")
    module = shop.root / "src/polster_runtime/sources/mysql.py"
    module.write_text(module.read_text("utf-8") + "\nMINE = 1\n", encoding="utf-8")
    plan = shop.polster(
        *("add-asset", "--layer", "bronze", "--name", "items", "--template", "mysql", "--dry-run")
    )
    assert "src/polster_runtime/sources/mysql.py" not in succeed(plan).stdout
    shop.add_mysql("items", "--connection", "crm")
    assert module.read_text("utf-8").endswith("MINE = 1\n")
    variables = (shop.root / ".env.example").read_text("utf-8")
    assert variables.count("MYSQL_HOST=") == variables.count("CRM_HOST=") == 1
