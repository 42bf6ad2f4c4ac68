"""Lineage as Mermaid, which GitHub, GitLab, Azure DevOps and most wikis draw."""

from __future__ import annotations

import re
from collections.abc import Iterator

from polster_core.lineage.graph import ELSEWHERE, ORDER, Graph, Node
from polster_core.model.layers import Layer

_PLAIN = re.compile(r"\w+", re.ASCII)
# Strokes that stand out on white and on dark grey alike; no fill, so that the text stays readable.
_STROKES: dict[str, str] = {
    ELSEWHERE: "#76746e",
    Layer.BRONZE: "#b0703c",
    Layer.SILVER: "#8793a5",
    Layer.GOLD: "#c99700",
}


def lines(graph: Graph) -> Iterator[str]:
    """Yield a flow chart, left to right, a box for each layer."""
    names = {asset.key: _id(asset, n) for n, asset in enumerate(graph.assets)}
    yield "flowchart LR"
    for layer in ORDER:
        assets = [asset for asset in graph.assets if asset.layer == layer]
        if assets:
            yield f"  subgraph {layer}"
            for asset in assets:
                yield f'    {names[asset.key]}["{_label(asset.name)}"]:::{layer}Asset'
            yield "  end"
    for start, to in graph.edges:
        yield f"  {names[start]} --> {names[to]}"
    there = {str(asset.layer) for asset in graph.assets}
    for layer in ORDER if ELSEWHERE in there else Layer:
        yield f"  classDef {layer}Asset stroke:{_STROKES[layer]},stroke-width:2px"


def _id(asset: Node, number: int) -> str:
    return str(asset) if _PLAIN.fullmatch(str(asset)) else f"asset_{number}"


def _label(text: str) -> str:
    return text.replace("#", "#35;").replace('"', "#quot;")
