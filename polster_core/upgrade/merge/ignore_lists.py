"""Merge `.gitignore` and its like: lists of patterns."""

from __future__ import annotations

from polster_core.upgrade.merge.lines import joined, merge_lines, newline_of
from polster_core.upgrade.merge.result import Merged


def merge_ignore_list(base: bytes, mine: bytes, new: bytes) -> Merged:
    """Add the patterns that Polster has added, and take out those that it has taken out.

    The order of the team's patterns stays: a later one overrides an earlier one.
    """
    text = merge_lines(base, mine, new)
    if text is None or _repeats(text) > _repeats(mine):
        before, wanted = _patterns(base), _patterns(new)
        gone = set(before) - set(wanted)
        lines = [line for line in mine.splitlines(keepends=True) if line.rstrip() not in gone]
        there = {line.rstrip() for line in lines}
        newline = newline_of(mine)
        added = [p + newline for p in wanted if p not in {*before, *there}]
        text = joined([*lines, *added], newline)
    return Merged(text=text)


def _patterns(content: bytes) -> list[bytes]:
    return [line.rstrip() for line in content.splitlines() if line.strip()]


def _repeats(content: bytes) -> int:
    found = _patterns(content)
    return len(found) - len(set(found))
