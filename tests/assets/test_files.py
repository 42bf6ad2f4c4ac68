"""The files of an asset are as ruff and mypy want them, whatever the names."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from polster_core.assets import files
from polster_core.model.layers import AssetId, Layer
from polster_core.rendering.python_source import docstring, one_line
from polster_core.types import AssetContext

SETTINGS = """\
line-length = 100
src = ["src"]

[lint]
select = ["E", "F", "W", "I", "B", "C4", "UP", "SIM"]
"""


def context(asset: AssetId, *dependencies: AssetId, description: str = "") -> AssetContext:
    text = description or files.default_description(asset)
    return AssetContext(
        project="shop",
        asset=asset,
        description=text,
        docstring=docstring(text, indent=1),
        dependencies=dependencies,
        parameters=tuple(map(files.parameter, dependencies)),
    )


def contexts(length: int) -> list[AssetContext]:
    """Return an asset of each layer, with one and with three dependencies, names of a length."""
    name = "x" * length
    bronze = [AssetId(Layer.BRONZE, f"{letter}{name[1:]}") for letter in "abc"]
    silver = [AssetId(Layer.SILVER, f"{letter}{name[1:]}") for letter in "abc"]
    return [
        context(bronze[0]),
        context(silver[0], bronze[0]),
        context(silver[1], *bronze),
        context(AssetId(Layer.GOLD, name), *silver),
    ]


@pytest.mark.parametrize("first", [1, 26, 51, 76])
def test_ruff_finds_nothing_to_say(tmp_path: Path, first: int) -> None:
    for length in range(first, first + 25):
        for module in ("src/orchestration/utils.py", "src/polster_runtime/__init__.py"):
            (tmp_path / f"{length}" / module).parent.mkdir(parents=True)
            (tmp_path / f"{length}" / module).touch()
        (tmp_path / f"{length}" / "ruff.toml").write_text(SETTINGS)
        for one in contexts(length):
            for file in files.usual(one):
                target = tmp_path / f"{length}" / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.content)
    for command in (["check"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            ["ruff", *command, "--no-cache", "."],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@settings(max_examples=150)
@given(st.text(max_size=300))
@example('"""')
@example("ends with \\")
@example("\x00 \ud800")
def test_a_docstring_says_what_was_typed(text: str) -> None:
    words = one_line(text)
    assert words == " ".join(text.split()) or not text.isprintable()
    code = f"def f():\n    {docstring(text, indent=1)}\n"
    found = ast.get_docstring(ast.parse(code).body[0])  # type: ignore[arg-type]
    assert found is not None
    assert " ".join(found.split()) == words


TYPED = [
    '"quoted"',
    'says "hi"',
    '"""',
    "it's",
    "a \\ b \\",
    "# no comment",
    "{braces} %s",
    "ünï 日本",
    "long " * 40,
    '" ' * 60,
    "x" * 120,
]


@pytest.mark.parametrize("typed", TYPED)
def test_ruff_likes_any_description(tmp_path: Path, typed: str) -> None:
    code = f"{docstring(typed)}\n\n\ndef f() -> None:\n    {docstring(typed, indent=1)}\n"
    (tmp_path / "a.py").write_text(code, encoding="utf-8")
    for command in (["check", "--select=E,F,W"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            ["ruff", *command, "--isolated", "--line-length=100", "--no-cache", "."],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def test_a_reserved_parameter_takes_the_full_name() -> None:
    assert files.parameter(AssetId(Layer.SILVER, "partition")) == "silver_partition"
    assert files.parameter(AssetId(Layer.SILVER, "orders")) == "orders"
