"""The tutorial, carried out from an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import blocks
from tests.docs.reader import Reader
from tests.generated import guides
from tests.generated.byte_code import lend
from tests.generated.conftest import runtime, shared, templates

__all__ = ["runtime", "shared", "templates"]

PAGE = (Path(__file__).parents[2] / "docs/getting-started/tutorial.md").read_text(encoding="utf-8")
IDENTITY = {
    f"GIT_{who}_{what}": text
    for who in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
}


@pytest.mark.slow
def test_every_step_leads_where_it_says(tmp_path: Path, runtime: Path) -> None:
    python = tmp_path / "bakery/.venv/bin/python"

    def installed() -> None:
        assert lend(runtime, python) > 0

    def begun() -> None:
        guides.fork(python, runtime)

    first = next(block.file for block in blocks(PAGE) if block.file)
    before = {first: installed, "src/core/silver_validated_orders.py": begun}
    Reader(page=PAGE, folder=tmp_path, env=dict(IDENTITY), before=before).read()
