"""Merge a configuration of Dagster: each top-level key of the YAML for itself."""

from __future__ import annotations

import re

from polster_core.upgrade.merge.lines import newline_of

_KEY = re.compile(rb"([\w-]+):")
Block = tuple[bytes, ...]
"""The lines of a key, and the comments and blank lines before it."""


def merge_blocks(base: bytes, mine: bytes, new: bytes) -> bytes | None:
    """Bring what changed between `base` and `new` into `mine`; `None` where both changed one key.

    Keys stay in the order of `mine`; new ones come last.
    """
    before, merged, wanted = _blocks(base), _blocks(mine), _blocks(new)
    for key in {**before, **wanted}:
        was, own, now = before.get(key), merged.get(key), wanted.get(key)
        if now in (was, own):
            continue
        if own != was:
            return None
        merged.pop(key, None)
        if now is not None:
            merged[key] = now
    newline = newline_of(mine)
    return b"".join(line + newline for block in merged.values() for line in block)


def _blocks(content: bytes) -> dict[bytes, Block]:
    """Split a text in front of each top-level key; what follows the last one belongs to it."""
    found: dict[bytes, Block] = {}
    waiting, current = Block(), b""
    for line in content.splitlines():
        key = _KEY.match(line)
        if key:
            current = key[1]
            found[current] = (*found.get(current, ()), *waiting, line)
            waiting = ()
        elif line.startswith(b"#") or not line.strip():
            waiting = (*waiting, line)
        else:
            found[current] = (*found.get(current, ()), *waiting, line)
            waiting = ()
    if waiting:
        found[current] = (*found.get(current, ()), *waiting)
    return found
