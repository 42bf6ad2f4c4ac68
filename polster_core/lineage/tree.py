"""Lineage as indented lines: what nothing depends on, and below it what is upstream of it."""

from __future__ import annotations

from collections.abc import Iterator

from polster_core.lineage.graph import Graph


def lines(graph: Graph) -> Iterator[str]:
    """Yield a tree for each end of the graph; what was shown in full once is not repeated."""
    shown: set[str] = set()
    ends = [asset.key for asset in graph.assets if not graph.downstream[asset.key]]
    for key in ends:
        yield from _tree(graph, key, shown)
    for asset in graph.assets:  # what only goes round in circles has no end
        if asset.key not in shown:
            yield from _tree(graph, asset.key, shown)


def _tree(graph: Graph, root: str, shown: set[str]) -> Iterator[str]:
    todo = [(root, "", "")]
    while todo:
        key, margin, branch = todo.pop()
        above = graph.upstream[key]
        again = key in shown and above
        yield f"{margin}{branch}{graph.by_key[key].label}{'  (see above)' if again else ''}"
        shown.add(key)
        if again:
            continue
        inner = margin + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        for n, other in reversed(list(enumerate(above))):
            todo.append((other, inner, "└─ " if n == len(above) - 1 else "├─ "))
