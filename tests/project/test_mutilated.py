"""Whatever is done to the files of a project, it is read, checked and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.handmade import polster, shop, write_project

FILES = shop(
    {
        "bronze_orders": [],
        "bronze_customers": [],
        "silver_orders": ["bronze_orders", "bronze_customers"],
        "gold_revenue": ["silver_orders"],
    }
)
WORDS = (
    *("def ", "class ", "import ", "from . import *", "@dg.asset(", "deps=", "[", ")", '"""', "'"),
    *("*", "**x", "/,", "=", ":", "\n", "\t", "\\", "#", "lambda: ", "async ", "if True:\n", "\0"),
    *("None", "__all__", "run_gold_revenue", "orders", "ä", "\ufeff", "\r", "f'{", "raise x\n"),
)


@st.composite
def mutilations(draw: st.DrawFn) -> dict[str, str | None]:
    """Cut, repeat, insert and delete somewhere in some of the files."""
    changed: dict[str, str | None] = {}
    for path in draw(st.lists(st.sampled_from(sorted(FILES)), min_size=1, max_size=3)):
        text = changed.get(path) or FILES[path]
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 60)))
        new = draw(
            st.sampled_from(WORDS)
            | st.just(text[start:end] * 2)
            | st.just("")
            | st.text(max_size=4)
        )
        whole = draw(st.integers(0, 12))
        changed[path] = None if whole == 0 else text[:start] + new + text[end:]
    return changed


@given(mutilations())
@settings(max_examples=150, deadline=None)
def test_no_command_falls_over(
    tmp_path_factory: pytest.TempPathFactory, changed: dict[str, str | None]
) -> None:
    root = tmp_path_factory.mktemp("shop")
    write_project(root, FILES)
    for path, text in changed.items():
        _change(root / path, text)
    report = polster(root, "validate", "--json")
    assert report.code == (0 if json.loads(report.out)["ok"] else 1)
    for problem in json.loads(report.out)["problems"]:
        assert problem["line"] >= 1
        assert problem["column"] >= 1
        assert "rule" not in problem["message"] or "failed" not in problem["message"]
    for args in (["list-assets", "--json"], ["lineage"], ["lineage", "--format", "svg"]):
        ran = polster(root, *args)
        assert ran.code == 0, (args, ran.err)
    assert polster(root, "validate", "--fix").code in {0, 1}


def _change(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text.encode(errors="replace"))
