"""Lineage as one SVG file that follows the reader's light or dark scheme."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from polster_core.lineage.graph import ORDER, Graph, Node
from polster_core.lineage.layout import columns, heights

NODE_WIDTH, NODE_HEIGHT = 232, 46
ROW, GAP = 62, 132
"""Pixels from one node to the one below it, and between two columns."""
MARGIN, HEAD = 28, 64
_BEND = 0.45
_NAME_CHARACTERS, _TEXT_CHARACTERS = 28, 34

STYLE = """
svg { color-scheme: light dark; font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; --ground: #fbfbfa; --card: #ffffff; --rim: #dddcd8;
  --ink: #22211f; --faint: #76746e; --wire: #b9b6ae; --bronze: #b0703c; --silver: #8793a5;
  --gold: #d0a012; }
@media (prefers-color-scheme: dark) { svg { --ground: #161719; --card: #202226; --rim: #34373d;
  --ink: #ecebe7; --faint: #9a9890; --wire: #565a62; --bronze: #c98a55; --silver: #a3afc0;
  --gold: #e0b32f; } }
.ground { fill: var(--ground); }
.card { fill: var(--card); stroke: var(--rim); }
.bronze .medal { fill: var(--bronze); } .silver .medal { fill: var(--silver); }
.gold .medal { fill: var(--gold); } .elsewhere .medal { fill: var(--faint); }
.name { fill: var(--ink); font-size: 13.5px; font-weight: 550; }
.text { fill: var(--faint); font-size: 11.5px; }
.head { fill: var(--faint); font-size: 12px; font-weight: 600; letter-spacing: .08em; }
.wire { fill: none; stroke: var(--wire); stroke-width: 1.4; }
"""


def render(graph: Graph, title: str) -> str:
    """Return the picture: columns for the layers, arrows from left to right."""
    places = positions(graph)
    width = 2 * MARGIN + _columns_width(graph)
    bottom = max((y for _, y in places.values()), default=HEAD) + NODE_HEIGHT
    size = f'width="{width}" height="{bottom + MARGIN:g}" viewBox="0 0 {width} {bottom + MARGIN:g}"'
    body = "\n".join((*_heads(graph), *_wires(graph, places), *_nodes(graph, places)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<rect class="ground" width="100%" height="100%"/>\n{body}\n</svg>\n'
    )


def positions(graph: Graph) -> dict[str, tuple[float, float]]:
    """Return the upper left corner of each node in pixels."""
    rows = heights(graph, columns(graph))
    x = {layer: MARGIN + n * (NODE_WIDTH + GAP) for n, layer in enumerate(_layers(graph))}
    return {
        asset.key: (x[asset.layer], round(HEAD + rows[asset.key] * ROW, 1))
        for asset in graph.assets
    }


def _layers(graph: Graph) -> list[str]:
    there = {asset.layer for asset in graph.assets}
    return [layer for layer in ORDER if layer in there]


def _columns_width(graph: Graph) -> int:
    count = max(len(_layers(graph)), 1)
    return count * NODE_WIDTH + (count - 1) * GAP


def _heads(graph: Graph) -> Iterator[str]:
    for n, layer in enumerate(_layers(graph)):
        x = MARGIN + n * (NODE_WIDTH + GAP)
        count = sum(asset.layer == layer for asset in graph.assets)
        yield (
            f'<g class="{layer}"><circle class="medal" cx="{x + 5}" cy="{MARGIN + 2}" r="5"/>'
            f'<text class="head" x="{x + 18}" y="{MARGIN + 6}">{layer.upper()} {count}</text></g>'
        )


def _wires(graph: Graph, places: dict[str, tuple[float, float]]) -> Iterator[str]:
    for start, to in graph.edges:
        yield f'<path class="wire" d="{wire(places[start], places[to])}"/>'


def wire(start: tuple[float, float], to: tuple[float, float]) -> str:
    """Return the curve from the right of one node to the left of another."""
    x1, y1 = start[0] + NODE_WIDTH, start[1] + NODE_HEIGHT / 2
    x2, y2 = to[0], to[1] + NODE_HEIGHT / 2
    bend = max(abs(x2 - x1) * _BEND, 40)
    return f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"


def _nodes(graph: Graph, places: dict[str, tuple[float, float]]) -> Iterator[str]:
    for asset in graph.assets:
        x, y = places[asset.key]
        about = f"{asset.label}: {asset.description}" if asset.description else asset.label
        yield (
            f'<g class="{asset.layer}" transform="translate({x:g} {y:g})">'
            f"<title>{escape(about)}</title>"
            f'<rect class="card" width="{NODE_WIDTH}" height="{NODE_HEIGHT}" rx="7"/>'
            f'<rect class="medal" x="0" y="9" width="3" height="{NODE_HEIGHT - 18}" rx="1.5"/>'
            f"{_texts(asset)}</g>"
        )


def _texts(asset: Node) -> str:
    name = escape(_shortened(asset.name, _NAME_CHARACTERS))
    if not asset.description:
        return f'<text class="name" x="15" y="{NODE_HEIGHT / 2 + 4.5:g}">{name}</text>'
    about = escape(_shortened(asset.description, _TEXT_CHARACTERS))
    return (
        f'<text class="name" x="15" y="20">{name}</text>'
        f'<text class="text" x="15" y="36">{about}</text>'
    )


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
