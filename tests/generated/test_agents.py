"""AGENTS.md of a generated project, carried out."""

from __future__ import annotations

import pytest

from tests.docs.markdown import anchors, links
from tests.docs.reader import Reader
from tests.generated.conftest import MakeProject


@pytest.mark.slow
def test_an_agent_that_follows_it_is_done(project: MakeProject) -> None:
    shop = project()
    page = (shop.root / "AGENTS.md").read_text(encoding="utf-8")
    reader = Reader(page=page, folder=shop.root, env=shop.variables())
    reader.read()
    assert {link for link in links(page) if link.removeprefix("#") not in anchors(page)} == set()
    for tool in (["pytest", "-q"], ["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        done = shop.tool(*tool)
        assert done.returncode == 0, done.stdout
