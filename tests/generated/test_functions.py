"""The guide on assets that somebody has already, followed in a generated project."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from tests.docs.markdown import Block, blocks
from tests.generated.conftest import MakeProject
from tests.generated.projects import Generated, told
from tests.handmade import polster

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "other-assets.md"


def test_p6_the_guide_holds(project: MakeProject) -> None:
    shop = project(samples=False)
    said: dict[str, str] = {}
    for block in blocks(GUIDE.read_text("utf-8")):
        if block.file:
            shop.write({block.file: block.text})
        elif block.language == "sh":
            said |= _carried_out(shop, block)
    assert "3 assets, 3 succeeded" in said["polster run --select '+gold_user_metrics'"]
    status = said["polster run --status"].splitlines()
    assert [line.split()[:3] for line in status[2:]] == [
        ["bronze_user_events", "fresh", "4"],
        ["silver_clean_users", "fresh", "3"],
        ["gold_user_metrics", "fresh", "2"],
    ]
    assert "gold_user_metrics" in said["polster lineage"]
    (report,) = json.loads(said["polster run --asset report --json"])["assets"]
    assert (report["key"], report["layer"], report["status"]) == ("report", None, "succeeded")
    assert "report" in said["polster list-assets"]
    loads = shop.tool("dagster", "definitions", "validate", "-w", "workspace.yaml")
    assert loads.returncode == 0, told(loads)
    doctor = shop.python("-m", "polster_runtime", "doctor", "--json")
    checks = {one["name"]: one for one in json.loads(doctor.stdout)["checks"]}
    assert checks["assets"]["status"] == "ok", checks


def _carried_out(shop: Generated, block: Block) -> dict[str, str]:
    """Run the commands of a block, and return what each said on stdout."""
    said: dict[str, str] = {}
    for line in block.text.splitlines():
        _, command, *words = shlex.split(line)
        if command == "run":
            done = shop.run(*words)
            assert done.returncode == 0, told(done)
            said[line] = done.stdout
        elif command == "preview":
            done = shop.python("-m", "polster_runtime", command, *words)
            assert done.returncode == 0, told(done)
        else:
            ran = polster(shop.root, command, *words)
            assert ran.code == 0, ran.err
            said[line] = ran.out
    return said
