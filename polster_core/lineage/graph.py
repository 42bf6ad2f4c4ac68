"""The assets of a selection and the arrows between them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from polster_core.model import layout
from polster_core.model.layers import Layer
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.project.listing import describe

ELSEWHERE = "elsewhere"
"""Stands for the layer of assets of other projects; they come before bronze."""
ORDER: tuple[str, ...] = (ELSEWHERE, *Layer)


@dataclass(frozen=True)
class Elsewhere:
    """An asset of another project that bronze reads: crm/gold_customers."""

    key: str
    label: str
    layer: str = ELSEWHERE
    description: str = ""

    def __str__(self) -> str:
        """Return it as a person reads it."""
        return self.label

    @property
    def name(self) -> str:
        """The same."""
        return self.label


Node = Asset | Elsewhere


@dataclass(frozen=True)
class Graph:
    """Assets in the order of flow, and edges (upstream key, downstream key) between them."""

    assets: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]

    @cached_property
    def by_key(self) -> Mapping[str, Node]:
        """Each asset under its key."""
        return {asset.key: asset for asset in self.assets}

    @cached_property
    def upstream(self) -> Mapping[str, tuple[str, ...]]:
        """The keys that each key depends on directly."""
        return _grouped(self.assets, ((to, start) for start, to in self.edges))

    @cached_property
    def downstream(self) -> Mapping[str, tuple[str, ...]]:
        """The keys that depend on each key directly."""
        return _grouped(self.assets, self.edges)

    def components(self) -> list[Graph]:
        """Return the parts that no edge connects, in the order of their first assets."""
        part: dict[str, int] = {}
        for asset in self.assets:
            if asset.key not in part:
                self._flood(asset.key, len(part), part)
        groups: dict[int, list[Node]] = {}
        for asset in self.assets:
            groups.setdefault(part[asset.key], []).append(asset)
        edges: dict[int, list[tuple[str, str]]] = {}
        for edge in self.edges:
            edges.setdefault(part[edge[0]], []).append(edge)
        return [Graph(tuple(group), tuple(edges.get(n, ()))) for n, group in groups.items()]

    def _flood(self, start: str, number: int, part: dict[str, int]) -> None:
        part[start] = number
        todo = [start]
        while todo:
            key = todo.pop()
            for other in (*self.upstream[key], *self.downstream[key]):
                if other not in part:
                    part[other] = number
                    todo.append(other)


def graph_of(pipeline: Pipeline, assets: Sequence[Asset]) -> Graph:
    """Return the graph of some assets of a pipeline; edges to others are left out.

    What they read of other projects is in it.
    """
    keys = {asset.key for asset in assets}
    edges = [
        (other.key, asset.key)
        for asset in assets
        for other in pipeline.upstream(asset)
        if other.key in keys
    ]
    read = [(dep, asset) for asset in assets for dep in asset.deps if dep.elsewhere]
    others = {dep.key: Elsewhere(dep.key, dep.shown) for dep, _ in read}
    edges += dict.fromkeys((dep.key, asset.key) for dep, asset in read)
    return Graph((*others.values(), *assets), tuple(edges))


def described(node: Node) -> dict[str, Any]:
    """Return a node as plain values, as `list-assets` describes assets."""
    if isinstance(node, Asset):
        return describe(node)
    return {"key": node.key, "layer": node.layer, "name": node.name, "deps": [], "description": ""}


def as_json(graph: Graph) -> str:
    """Return nodes, as `list-assets` describes them, and edges from upstream to downstream."""
    nodes = ",\n".join(f"  {json.dumps(described(asset))}" for asset in graph.assets)
    key = layout.current().key
    edges = ",\n".join(f"  {json.dumps({'from': key(a), 'to': key(b)})}" for a, b in graph.edges)
    return f'{{"nodes": [{_block(nodes)}], "edges": [{_block(edges)}]}}'


def _block(lines: str) -> str:
    return f"\n{lines}\n" if lines else ""


def _grouped(
    assets: Iterable[Node], pairs: Iterable[tuple[str, str]]
) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {asset.key: [] for asset in assets}
    for one, other in pairs:
        found[one].append(other)
    return {key: tuple(others) for key, others in found.items()}
