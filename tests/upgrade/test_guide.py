"""What the page says can be done, done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]

from polster_core.upgrade.report import RESPONSE_SCHEMA
from polster_core.upgrade.verdicts import Verdict
from tests.docs.markdown import blocks
from tests.upgrade import fixture

PAGE = (Path(__file__).parents[2] / "docs/guides/upgrade.md").read_text(encoding="utf-8")


def test_commands(tmp_path: Path) -> None:
    root = fixture.unpack(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    commands = [block.text for block in blocks(PAGE) if block.language == "sh"]
    assert len(commands) == 6
    for command in commands:
        subprocess.run(
            ["bash", "-ec", command], check=True, cwd=root, env={**os.environ, "PATH": path}
        )
    assert (root / "src/polster_runtime/__init__.py").exists()
    assert "from core.runtime import run" in (root / "src/core/silver_example.py").read_text()


def test_the_document_is_as_it_is_published() -> None:
    (shown,) = [block.text for block in blocks(PAGE) if block.language == "json"]
    jsonschema.validate(json.loads(shown), RESPONSE_SCHEMA, cls=jsonschema.Draft202012Validator)


def test_every_verdict_is_explained() -> None:
    for verdict in Verdict:
        if verdict is not Verdict.UNCHANGED:
            assert f"\n| {verdict} |" in PAGE
