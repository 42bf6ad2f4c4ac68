"""S9: whatever an option says: the code that is written means it, or the command refuses it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from polster_core.testing.projects import tree
from tests.handmade import polster

VALUES = (
    'it\'s "x"',
    "back\\slash \\N{BULLET} \\",
    "{braces} {{x}} {0} %s ${HOME}",
    "\"\"\"three\"\"\" '''quotes'''",
    "line\nbreak\tand\ttab",
    "ünï 日本 \u2028 # no comment",
)
OPTIONS = (
    ("csv", "path"),
    ("csv", "null"),
    ("excel", "sheet"),
    ("json", "records"),
    ("parquet", "path"),
    ("mysql", "table"),
    ("mysql", "query"),
    ("api", "url"),
    ("api", "records"),
    ("sftp", "pattern"),
)
NEEDED = {
    "csv": ("--path", "in/*.csv"),
    "excel": ("--path", "in/*.xlsx"),
    "json": ("--path", "in/*.json"),
    "api": ("--url", "https://api.example.com/rows"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options")
    polster(folder, "init", "shop", "--no-setup", "--no-git", "--no-sample-assets").succeeded()
    return folder / "shop"


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("template", "option"), OPTIONS)
def test_s9_an_option_means_what_it_says(
    root: Path, template: str, option: str, value: str, request: pytest.FixtureRequest
) -> None:
    name = f"a{abs(hash(request.node.name)) % 10**12}"
    before, said = tree(root), f"https://h.example/{value}" if option == "url" else value
    needed = () if NEEDED.get(template, ("",))[0] == f"--{option}" else NEEDED.get(template, ())
    done = polster(
        *(root, "add-asset", "--layer", "bronze", "--name", name, "--template", template),
        *(*needed, f"--{option}", said, "--description", value),
    )
    if done.code:
        assert done.code == 2, done.err
        assert done.err.startswith("error: "), "what is not taken is refused in words"
        assert tree(root) == before
        return
    written = [
        root / "src/core" / f"bronze_{name}.py",
        root / "src/orchestration/assets/bronze" / f"run_bronze_{name}.py",
        root / "tests" / f"test_bronze_{name}.py",
    ]
    parsed = [ast.parse(path.read_text(encoding="utf-8")) for path in written]
    constants = {node.value for node in ast.walk(parsed[0]) if isinstance(node, ast.Constant)}
    assert said in constants
    docstrings = {
        " ".join((ast.get_docstring(node) or "").split())
        for tree_ in parsed
        for node in ast.walk(tree_)
        if isinstance(node, ast.FunctionDef)
    }
    assert " ".join(value.split()) in docstrings


@pytest.mark.parametrize("name", ["a\nb", 'a"b', "a\\b", "a b", "../a", "a;b", "ä"])
def test_s9_names_that_are_no_names_are_refused(root: Path, name: str) -> None:
    before = tree(root)
    done = polster(root, "add-asset", "--layer", "bronze", "--name", name)
    assert (done.code, done.err.startswith("error: ")) in {(1, True), (2, True)}
    assert tree(root) == before
