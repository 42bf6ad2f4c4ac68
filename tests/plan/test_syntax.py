"""What cannot be read by what will read it is never written (S9)."""

from __future__ import annotations

import ast
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polster_core.errors import PlanError
from polster_core.plan.definition import draft
from polster_core.rendering.python_source import docstring, one_line, quoted
from polster_core.types import NewFile
from tests.handmade import polster, shop, write_project

AWKWARD = [
    '\\"',
    '"',
    '"""',
    "\\",
    "ends in \\",
    'says "so"',
    "{{ x }} {% y %} {# z #} {x} %(x)s",
    "one\nline \u2028 \t",
    "größer als 漢字 🙂 '''",
    "word " * 60 + '\\"',
]
BROKEN = [
    ("src/x.py", "def f(:\n"),
    ("src/x.pyi", "class\n"),
    ("src/x.py", "x = '\x00'\n"),
    ("pyproject.toml", "x = \n"),
    ("a.json", "{,}"),
    ("a.yml", "a: [1\n"),
    ("a.yaml", "a: b: c\n"),
]


@pytest.mark.parametrize("description", AWKWARD)
def test_s9_any_description_comes_out_right(tmp_path: Path, description: str) -> None:
    root = write_project(tmp_path / "shop", shop({"bronze_orders": ()})).root
    for layer, deps in (("bronze", ()), ("silver", ("--dependencies", "orders"))):
        args = ("add-asset", "--layer", layer, "--name", "new", "--description", description)
        polster(root, *args, *deps).succeeded()
        core = ast.parse((root / f"src/core/{layer}_new.py").read_text(encoding="utf-8"))
        (function,) = (node for node in core.body if isinstance(node, ast.FunctionDef))
        assert (ast.get_docstring(function) or "").split() == one_line(description).split()


@given(st.text(st.sampled_from("\"\\'ab {}%\n#é🙂"), max_size=200), st.integers(0, 1))
def test_s9_a_docstring_reads_back(text: str, indent: int) -> None:
    head, tail = ("class X:\n    ", "\n    x = 1\n") if indent else ("", "\n")
    tree = ast.parse(f"{head}{docstring(text, indent=indent)}{tail}")
    node = tree.body[0] if indent else tree
    assert isinstance(node, ast.ClassDef | ast.Module)
    assert (ast.get_docstring(node) or "").split() == one_line(text).split()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_s9_a_string_reads_back(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text


@pytest.mark.parametrize(("path", "text"), BROKEN)
def test_s9_what_cannot_be_parsed_is_not_written(tmp_path: Path, path: str, text: str) -> None:
    with pytest.raises(PlanError, match=rf"^{path} could not be read any more: .* \(a-plugin\)$"):
        draft(tmp_path, [NewFile(path=PurePosixPath(path), text=text, origin="a-plugin")])


@pytest.mark.parametrize(
    ("path", "text"),
    [(".vscode/settings.json", "{} // ours"), ("x.txt", "def f(:"), ("a.yml", "a: !ours b\n")],
)
def test_s9_what_is_no_fault_is_none(tmp_path: Path, path: str, text: str) -> None:
    assert draft(tmp_path, [NewFile(path=PurePosixPath(path), text=text)])


def test_s9_what_our_parser_could_not_read_before_is_not_judged(tmp_path: Path) -> None:
    """Such as a file in the Python of tomorrow."""
    (tmp_path / "x.py").write_text("x = t!'new syntax'\n")
    assert draft(tmp_path, [NewFile(path=PurePosixPath("x.py"), text="y = t!'new syntax'\n")])
