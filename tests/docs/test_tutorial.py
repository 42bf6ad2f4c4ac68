"""The tutorial, carried out from an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import sections
from tests.docs.reader import Reader

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
IDENTITY = {
    f"GIT_{who}_{what}": text
    for who in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(page=PAGE, folder=tmp_path_factory.mktemp("tutorial"), env=dict(IDENTITY))


@pytest.mark.slow
@pytest.mark.xdist_group("tutorial")
@pytest.mark.parametrize("title", sections(PAGE))
def test_what_a_section_says_is_so(reader: Reader, title: str) -> None:
    reader.read(title)
