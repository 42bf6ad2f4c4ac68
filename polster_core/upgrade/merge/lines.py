"""Merge texts by lines, as diff3 does.

Lines that all three versions share are anchors; between two of them, at most one side may have
changed something. It does what `git merge-file` does, where that finds no conflict (a test
compares them), and needs no git. The one library for it, merge3, has a licence (GPL) that Polster
cannot take on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

Span = tuple[int, int]


def merge_lines(base: bytes, mine: bytes, new: bytes) -> bytes | None:
    """Merge what changed between `base` and `new` into `mine`; `None` where both changed the same.

    Line ends do not count as a change; those of `mine` are kept.
    """
    versions = [content.splitlines(keepends=True) for content in (base, mine, new)]
    keys = [[line.rstrip(b"\r\n") for line in lines] for lines in versions]
    newline = newline_of(mine)
    merged: list[bytes] = []
    for spans in _regions(*keys):
        before, ours, theirs = (key[a:b] for key, (a, b) in zip(keys, spans, strict=True))
        if theirs in (before, ours):
            merged += versions[1][slice(*spans[1])]
        elif ours == before:
            merged += [key + newline for key in theirs]
        else:
            return None
    return joined(merged, newline)


def newline_of(content: bytes) -> bytes:
    """Return the line end that most lines of a text have."""
    return b"\r\n" if content.count(b"\r\n") * 2 > content.count(b"\n") else b"\n"


def joined(lines: Iterable[bytes], newline: bytes) -> bytes:
    """Join lines, ending those that others follow."""
    found = list(lines)
    ended = [line if line.endswith((b"\n", b"\r")) else line + newline for line in found[:-1]]
    return b"".join([*ended, *found[-1:]])


def _regions(
    base: Sequence[bytes], mine: Sequence[bytes], new: Sequence[bytes]
) -> Iterator[tuple[Span, Span, Span]]:
    """Yield the spans between and of the shared lines, in order."""
    in_mine, in_new = _matches(base, mine), _matches(base, new)
    last = (0, 0, 0)
    for place in range(len(base)):
        if place in in_mine and place in in_new:
            here = (place, in_mine[place], in_new[place])
            yield _between(last, here)
            last = (here[0] + 1, here[1] + 1, here[2] + 1)
            yield _between(here, last)
    yield _between(last, (len(base), len(mine), len(new)))


def _between(start: tuple[int, int, int], end: tuple[int, int, int]) -> tuple[Span, Span, Span]:
    return (start[0], end[0]), (start[1], end[1]), (start[2], end[2])


def _matches(base: Sequence[bytes], other: Sequence[bytes]) -> dict[int, int]:
    """Map the lines of `base` that are unchanged in `other` to their places there."""
    blocks = SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {a + k: b + k for a, b, size in blocks for k in range(size)}
