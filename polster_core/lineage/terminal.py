"""Lineage as lines that run from left to right, for graphs that can be drawn so.

Each layer is a column of names. Between two columns run upright tracks: one for each set of assets
that some assets depend on in common. A line that crosses a track without touching it goes under
it: `─│─`. A line never says more than the code does: one that goes on behind a track is the only
one that comes to this track, so that nobody can take another's way along it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from polster_core.lineage.graph import Graph
from polster_core.lineage.layout import columns

MAX_ASSETS = 40
"""A larger connected part is a tree of lines: too many tracks are a maze."""
MAX_TRACKS = 9

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_SIGNS = {
    _LEFT | _RIGHT: "─",
    _UP | _DOWN: "│",
    _DOWN | _RIGHT: "┌",
    _DOWN | _LEFT: "┐",
    _UP | _RIGHT: "└",
    _UP | _LEFT: "┘",
    _UP | _DOWN | _RIGHT: "├",
    _UP | _DOWN | _LEFT: "┤",
    _LEFT | _RIGHT | _DOWN: "┬",
    _LEFT | _RIGHT | _UP: "┴",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}


@dataclass(frozen=True)
class _Track:
    """An upright line that joins all its sources with all its targets."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]


class _ConflictError(Exception):
    """A name that cannot stand in the line where it is; without a name, nothing can be done."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__(key)
        self.key = key


def draw(graph: Graph, width: int) -> list[str] | None:
    """Return the lines of a connected graph; `None` if it cannot be drawn so."""
    order = columns(graph)
    place = {key: n for n, column in enumerate(order) for key in column}
    if len(graph.assets) > MAX_ASSETS or any(place[b] - place[a] != 1 for a, b in graph.edges):
        return None
    floors = dict.fromkeys(place, 0)
    for _ in range(2 * len(place)):
        rows = _rows(graph, order, floors)
        try:
            gutters = [_gutter(graph, left, rows) for left in order[:-1]]
        except _ConflictError as conflict:
            if conflict.key is None:
                return None
            floors[conflict.key] = rows[conflict.key] + 1
            continue
        drawn = _paint(graph, order, _compact(rows), gutters)
        return drawn if max(map(len, drawn)) <= width else None
    return None


def _rows(
    graph: Graph, order: Sequence[Sequence[str]], floors: Mapping[str, int]
) -> dict[str, int]:
    """Return the line of each name, so that as many edges as possible run straight.

    No name is above its floor, and one that was moved there does not pull others along.
    """
    rows = {key: n for column in order for n, key in enumerate(column)}
    while True:
        before = dict(rows)
        for column, neighbours in (
            *((column, graph.upstream) for column in order),
            *((column, graph.downstream) for column in reversed(order)),
        ):
            last = -1
            for key in column:
                near = [rows[other] for other in neighbours[key] if not floors[other]]
                rows[key] = last = max(last + 1, min(near, default=0), rows[key], floors[key])
        if rows == before or max(rows.values()) > 3 * len(rows):
            return rows


def _compact(rows: Mapping[str, int]) -> dict[str, int]:
    """Close the gaps: a line without a name has nothing but upright tracks."""
    rank = {row: n for n, row in enumerate(sorted(set(rows.values())))}
    return {key: rank[row] for key, row in rows.items()}


def _gutter(graph: Graph, left: Sequence[str], rows: Mapping[str, int]) -> list[_Track]:
    """Return the tracks between a column and the next one, from left to right."""
    targets = {other for key in left for other in graph.downstream[key]}
    joined: dict[tuple[str, ...], list[str]] = {}
    for key in sorted(targets, key=rows.__getitem__):
        joined.setdefault(tuple(sorted(graph.upstream[key])), []).append(key)
    tracks = [_Track(sources, tuple(found)) for sources, found in joined.items()]
    bent = [track for track in tracks if not _is_straight(graph, track, rows)]
    if len(bent) > MAX_TRACKS:
        raise _ConflictError
    return _sorted(bent, rows)


def _is_straight(graph: Graph, track: _Track, rows: Mapping[str, int]) -> bool:
    (source, *others), (target, *more) = track.sources, track.targets
    alone = not others and not more and len(graph.downstream[source]) == 1
    return alone and rows[source] == rows[target]


def _sorted(tracks: Sequence[_Track], rows: Mapping[str, int]) -> list[_Track]:
    """Order tracks so that lines do not meet which have nothing to do with each other.

    What comes from the left in a row has to end before what leaves for the right in it begins, and
    a line has to end at the track that it shares with others.
    """
    before: dict[int, set[int]] = {n: set() for n in range(len(tracks))}
    for n, track in enumerate(tracks):
        leaving = {rows[target] for target in track.targets}
        for m, other in enumerate(tracks):
            if n == m:
                continue
            if leaving & {rows[source] for source in other.sources}:
                before[n].add(m)
            if len(track.sources) > 1 and set(track.sources) & set(other.sources):
                before[n].add(m)
    try:
        return [tracks[n] for n in TopologicalSorter(before).static_order()]
    except CycleError as error:
        circle = [tracks[n] for n in error.args[1]]
        raise _ConflictError(_movable(circle, rows)) from None


def _movable(circle: Sequence[_Track], rows: Mapping[str, int]) -> str | None:
    """Return a target in these tracks that stands across from a source in another of them."""
    for track in circle:
        taken = {rows[key] for other in circle if other != track for key in other.sources}
        for target in track.targets:
            if rows[target] in taken:
                return target
    return None


def _paint(
    graph: Graph,
    order: Sequence[Sequence[str]],
    rows: Mapping[str, int],
    gutters: Sequence[Sequence[_Track]],
) -> list[str]:
    lines = [""] * (max(rows.values()) + 1)
    for n, column in enumerate(order):
        names = {rows[key]: key for key in column}
        wide = max(len(graph.by_key[key].label) for key in column)
        for row in range(len(lines)):
            key = names.get(row)
            goes_on = key is not None and bool(graph.downstream[key])
            lines[row] += _label(graph.by_key[key].label if key else "", wide, goes_on=goes_on)
        if n < len(gutters):
            following = {rows[key]: key for key in order[n + 1]}
            for row in range(len(lines)):
                ends = _Ends(graph, gutters[n], names.get(row), following.get(row))
                lines[row] += "".join(_crossed(gutters[n], rows, row, ends))
    return [line.rstrip() for line in lines]


def _label(name: str, width: int, *, goes_on: bool) -> str:
    """Return a name and, if a line leaves it, the line up to the end of the column."""
    if goes_on:
        return f"{name} " + "─" * (width - len(name) + 1)
    return f"{name:<{width + 2}}"


class _Ends:
    """What one row of a gutter has to do: which tracks its source joins, where its target is fed.

    The line from the source ends at the track `last`, the line to the target begins at `first`;
    both are beyond the last track in a row that goes straight through.
    """

    def __init__(
        self, graph: Graph, tracks: Sequence[_Track], source: str | None, target: str | None
    ) -> None:
        joins = [n for n, track in enumerate(tracks) if source in track.sources]
        feeds = [n for n, track in enumerate(tracks) if target in track.targets]
        straight = source is not None and bool(graph.downstream[source]) and not joins
        self.joins = frozenset(joins)
        self.last = len(tracks) if straight else max(joins, default=-1)
        self.first = min(feeds, default=len(tracks) if straight else len(tracks) + 1)


def _crossed(
    tracks: Sequence[_Track], rows: Mapping[str, int], row: int, ends: _Ends
) -> Iterator[str]:
    """Yield what stands in one row of a gutter: a sign a track, and what is between them."""
    for n, track in enumerate(tracks):
        sides = 0
        if n in ends.joins:
            sides |= _LEFT | (_RIGHT if n < ends.last else 0)
        if n == ends.first:
            sides |= _RIGHT
        passes = n < ends.last or n > ends.first
        yield _sign(_upright(track, rows, row), sides, passes=passes)
        yield "─" if n < ends.last or n >= ends.first else " "
    yield "── " if ends.first <= len(tracks) else "   "


def _upright(track: _Track, rows: Mapping[str, int], row: int) -> int:
    """Return whether a track goes up and down from a row."""
    span = [rows[key] for key in (*track.sources, *track.targets)]
    up, down = min(span) < row <= max(span), min(span) <= row < max(span)
    return (_UP if up else 0) | (_DOWN if down else 0)


def _sign(upright: int, sides: int, *, passes: bool) -> str:
    if sides:
        return _SIGNS.get(upright | sides, "─")
    if upright:
        return "│"
    return "─" if passes else " "
