"""The commands of docs/guides/increments.md, one after the other."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from polster_core.environment.venv import folder
from tests.docs.markdown import blocks
from tests.generated.conftest import MakeProject
from tests.generated.projects import execute, told
from tests.generated.test_incremental import NIGHTS, log
from tests.quality.test_guides import with_environment

STOCK = """
def extract() -> pl.LazyFrame:
    return pl.LazyFrame({"item": ["a"], "count": [1]})
"""
PAGE = Path(__file__).parents[2] / "docs" / "guides" / "increments.md"


def test_commands(project: MakeProject) -> None:
    shop = project(samples=False)
    with_environment(shop)
    shop.place("bronze_events", "change_log")
    shop.add("bronze_stock", STOCK)
    (shop.root / "log").mkdir()
    for night in range(len(NIGHTS)):
        log(shop, night)
    path = [folder(shop.root) / "bin", Path(sys.executable).parent, os.environ["PATH"]]
    env = shop.variables({"PATH": os.pathsep.join(map(str, path))})
    del env["PYTHONPATH"]
    page = list(blocks(PAGE.read_text("utf-8")))
    said = ""
    for command in [block.text for block in page if block.language == "sh"]:
        done = execute(["bash", "-ec", command], cwd=shop.root, env=env)
        assert done.returncode == 0, f"{command}\n{told(done)}"
        said += done.stdout
    assert "gold_customers: its code has not changed since its last run" in said
    assert "bronze_events up to 0" in said
    written = (shop.root / "src/core/silver_orders.py").read_text("utf-8")
    (shown,) = [block.text for block in page if "keep=" in block.text]
    for line in shown.splitlines():
        assert line in written
    grows = (shop.root / "src/core/silver_log.py").read_text("utf-8")
    (shown,) = [block.text for block in page if "-> Append:" in block.text]
    assert all(line in grows for line in shown.splitlines())
