"""Where assets stand in a layered picture: which above which, and how far down.

Sugiyama's method for graphs whose layers are given: sweeps of barycentres order each column so
that few edges cross, then each node moves towards its neighbours as far as the order allows.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence

from polster_core.lineage.graph import ORDER, Graph

_SWEEPS = 12
_SETTLING, _SETTLED = 40, 0.05
"""Rounds of moving at most, and the rows by which nothing has to have moved to end before."""

Columns = tuple[tuple[str, ...], ...]


def columns(graph: Graph) -> Columns:
    """Return the keys of each layer that has any, from top to bottom; parts stay together."""
    parts = [_part_columns(part) for part in _by_size(graph)]
    merged = (tuple(key for part in parts for key in part[n]) for n in range(len(ORDER)))
    return tuple(column for column in merged if column)


def _by_size(graph: Graph) -> list[Graph]:
    """Return the connected parts, those with edges first."""
    return sorted(graph.components(), key=lambda part: not part.edges)


def _part_columns(part: Graph) -> Columns:
    """Return the keys of every layer, in the best order that the sweeps have seen."""
    current = [[a.key for a in part.assets if a.layer == layer] for layer in ORDER]
    best, fewest = [list(column) for column in current], crossings(part, current)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        forward = sweep % 2 == 0
        neighbours = part.upstream if forward else part.downstream
        for column in range(len(current)) if forward else reversed(range(len(current))):
            rank = {key: n for keys in current for n, key in enumerate(keys)}
            current[column] = _by_barycentre(current[column], neighbours, rank)
        found = crossings(part, current)
        if found < fewest:
            best, fewest = [list(column) for column in current], found
    return tuple(tuple(column) for column in best)


def _by_barycentre(
    keys: Sequence[str], neighbours: Mapping[str, Sequence[str]], rank: Mapping[str, int]
) -> list[str]:
    """Sort by the mean rank of the neighbours; what has none keeps its place."""

    def mean(key: str) -> float:
        ranks = [rank[other] for other in neighbours[key]]
        return sum(ranks) / len(ranks) if ranks else rank[key]

    return sorted(keys, key=mean)


def crossings(graph: Graph, order: Sequence[Sequence[str]]) -> int:
    """Count the pairs of edges that cross between neighbouring columns.

    An edge crosses those before it, sorted by where they start, that end further down.
    """
    column = {key: n for n, keys in enumerate(order) for key in keys}
    rank = {key: n for keys in order for n, key in enumerate(keys)}
    total = 0
    for n in range(len(order) - 1):
        ends: list[int] = []
        pairs = sorted(
            (rank[start], rank[to])
            for start, to in graph.edges
            if column[start] == n and column[to] == n + 1
        )
        for _, end in pairs:
            total += len(ends) - bisect_left(ends, end + 1)
            insort(ends, end)
    return total


def heights(graph: Graph, order: Columns) -> dict[str, float]:
    """Return how far down each key stands, in rows; within a column at least one row apart.

    Heights are quarters of rows, so that what is nearly in line is in line.
    """
    place = {key: float(n) for column in order for n, key in enumerate(column)}
    for sweep in range(_SETTLING):
        before = dict(place)
        for column in order if sweep % 2 else reversed(order):
            wanted = []
            for key in column:
                near = [place[other] for other in (*graph.upstream[key], *graph.downstream[key])]
                wanted.append(sum(near) / len(near) if near else place[key])
            place.update(zip(column, spread(wanted), strict=True))
        if all(abs(place[key] - height) < _SETTLED for key, height in before.items()):
            break
    top = min(place.values(), default=0.0)
    return {key: round((height - top) * 4) / 4 for key, height in place.items()}


def spread(wanted: Sequence[float]) -> list[float]:
    """Return heights in the same order, one row apart, with the least squared distance to these.

    Pooling adjacent violators solves this exactly: after taking the row number off, the heights
    have to rise, and neighbours that fall are replaced by their mean.
    """
    blocks: list[tuple[float, int]] = []
    for row, height in enumerate(wanted):
        mean, size = height - row, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    flat = [mean for mean, size in blocks for _ in range(size)]
    return [mean + row for row, mean in enumerate(flat)]
