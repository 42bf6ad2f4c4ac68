"""V9: a new asset's function has sample code to start from, in comments."""

from __future__ import annotations

import ast
import textwrap

import pytest

from polster_core.assets.sample_code import WIDTH, sample
from polster_core.model.layers import AssetId

PARAMETERS = {"bronze_a": (), "silver_a": ("orders",), "gold_a": ("orders", "customers")}


@pytest.mark.parametrize(("stem", "parameters"), PARAMETERS.items())
def test_v9_without_its_comment_marks_it_is_a_body(stem: str, parameters: tuple[str, ...]) -> None:
    asset = AssetId.parse(f"run_{stem}")
    assert asset is not None
    lines = sample(asset, parameters).splitlines()
    assert {line[:5] for line in lines} == {"    #"}
    body = "\n".join(line[6:] for line in lines[2:])
    tree = ast.parse(f"def f({', '.join(parameters)}):\n{textwrap.indent(body, '    ')}")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert isinstance(function.body[-1], ast.Return)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert used >= set(parameters)


@pytest.mark.parametrize("length", [1, 30, 70, 100])
@pytest.mark.parametrize("layer", ["bronze", "silver", "gold"])
def test_no_line_is_too_long(layer: str, length: int) -> None:
    name = "n" * length
    asset = AssetId.parse(f"run_{layer}_{name}")
    assert asset is not None
    lines = sample(asset, (name, name)).splitlines()
    assert all(len(line) <= WIDTH for line in lines)
    assert bool(lines) is (length < 50)
