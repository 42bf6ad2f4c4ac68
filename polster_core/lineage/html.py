"""Lineage as one HTML file: searchable, clickable, shareable, and complete in itself."""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from importlib.resources import files

from polster_core.lineage import svg
from polster_core.lineage.columns import Columns
from polster_core.lineage.graph import Graph, described


def render(graph: Graph, project: str, columns: Columns | None = None) -> str:
    """Return the page, with the way of each column if these are given; it asks no server."""
    index = {asset.key: n for n, asset in enumerate(graph.assets)}
    places = svg.positions(graph)
    nodes = [
        {**described(asset), "x": places[asset.key][0], "y": places[asset.key][1]}
        for asset in graph.assets
    ]
    data = {
        "project": project,
        "nodes": nodes,
        "columns": {name: asdict(column) for name, column in (columns or {}).items()},
        "edges": [[index[start], index[to]] for start, to in graph.edges],
        "sizes": {
            "width": svg.NODE_WIDTH,
            "height": svg.NODE_HEIGHT,
            "row": svg.ROW,
            "gap": svg.GAP,
            "head": svg.HEAD,
            "margin": svg.MARGIN,
        },
    }
    parts = {
        "{{title}}": escape(f"{project}: lineage"),
        "{{style}}": _resource("page.css"),
        "{{script}}": _script(),
        "{{data}}": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    }
    page = _resource("page.html")
    for mark, text in parts.items():
        before, _, after = page.partition(mark)
        page = f"{before}{text}{after}"
    return page


def _script() -> str:
    """Return the parts of the script as one function, so that they share their names."""
    parts = "\n".join(map(_resource, ("page_drawing.js", "page_panel.js")))
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _resource(name: str) -> str:
    return files("polster_core.lineage").joinpath(name).read_text(encoding="utf-8")
