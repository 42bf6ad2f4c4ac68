"""The commands of docs/guides/connectors.md, one after the other."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from polster_core.environment.venv import folder
from tests.connectors.conftest import Shop
from tests.connectors.mariadb import MariaDB
from tests.docs.markdown import blocks
from tests.generated.projects import execute, told
from tests.quality.test_guides import with_environment

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "connectors.md"


def test_commands(shop: Shop, mariadb: MariaDB) -> None:
    mariadb.sql(
        "CREATE TABLE products (id INT PRIMARY KEY, updated_at DATETIME NOT NULL)",
        "INSERT INTO products SELECT seq, '2026-01-02' + INTERVAL seq HOUR FROM seq_1_to_30",
    )
    with_environment(shop)
    path = [folder(shop.root) / "bin", Path(sys.executable).parent, os.environ["PATH"]]
    env = shop.variables({"PATH": os.pathsep.join(map(str, path))})
    del env["PYTHONPATH"]
    commands = [block.text for block in blocks(PAGE.read_text("utf-8")) if block.language == "sh"]
    said = {}
    for command in commands:
        done = execute(["bash", "-ec", command], cwd=shop.root, env=env)
        assert done.returncode == 0, f"{command}\n{told(done)}"
        said[command.strip()] = done.stdout
    assert "2026-01-03 06:00:00" in said["polster state show products"]
    (doctor,) = [text for command, text in said.items() if command.startswith("polster doctor")]
    assert "ok       source products: read" in doctor
    assert len(shop.rows("bronze_products")) == 30
