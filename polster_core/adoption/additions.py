"""Add to lists that somebody else keeps: lines go to their end, and all that is there stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from polster_core.errors import PolsterError

_SETTING = re.compile(rb"[ \t]*(?:#[ \t]*)?(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=")
_ITEM = re.compile(rb"([ \t]*)- ")
_LOCATIONS = re.compile(rb"load_from:[ \t]*(#.*)?")


def patterns(mine: bytes, new: bytes) -> bytes:
    """Add patterns to a `.gitignore` under a heading.

    Exceptions are repeated where they are there already: a pattern that comes after them would
    undo them.
    """
    there = {line.strip() for line in mine.splitlines()}
    wanted = [line for line in new.splitlines() if line.strip() and not line.startswith(b"#")]
    if all(line in there for line in wanted):
        return mine
    lines = [line for line in wanted if line not in there or line.startswith(b"!")]
    return _joined(mine, [b"", b"# Polster", *lines])


def settings(mine: bytes, new: bytes) -> bytes:
    """Add the variables, with the comments above them, that a file of settings does not name."""
    there = {found[1] for line in mine.splitlines() if (found := _SETTING.match(line))}
    added: list[bytes] = []
    for block in _blocks(new):
        names = {found[1] for line in block if (found := _SETTING.match(line))}
        if names - there:
            kept = (line for line in block if not _names_one(line, there))
            added += [b"", *kept]
    return _joined(mine, added) if added else mine


def code_locations(mine: bytes, new: bytes) -> bytes:
    """Add a code location to the list of a Dagster workspace.

    Raises PolsterError for a list that is written in another way than one item below the other.
    """
    lines = mine.splitlines(keepends=True)
    start = next((n for n, line in enumerate(lines) if _LOCATIONS.fullmatch(line.rstrip())), None)
    items = [] if start is None else [*_items(lines, start)]
    if not items or start is None:
        raise PolsterError("workspace.yaml has no list load_from to which one can add a line")
    indent, end = items[0][1], _end(lines, start)
    ours = new.splitlines()[1:]
    depth = len(ours[0]) - len(ours[0].lstrip())
    text = b"".join(lines[:end])
    return _joined(text, [indent + line[depth:] for line in ours]) + b"".join(lines[end:])


def location_blocks(text: bytes) -> list[tuple[int, int, str]]:
    """Return the items of the list of a Dagster workspace: their lines, from and to, and texts."""
    lines = text.splitlines(keepends=True)
    start = next((n for n, line in enumerate(lines) if _LOCATIONS.fullmatch(line.rstrip())), None)
    if start is None:
        return []
    items = [*_items(lines, start)]
    indent = items[0][1] if items else b""
    begins = [number for number, own in items if own == indent]
    ends = [*begins[1:], _end(lines, start)]
    return [
        (begin, end, b"".join(lines[begin:end]).decode())
        for begin, end in zip(begins, ends, strict=False)
    ]


def _items(lines: list[bytes], start: int) -> Iterator[tuple[int, bytes]]:
    """Yield where the items of a list start, and how far they are indented."""
    for number in range(start + 1, _end(lines, start)):
        if found := _ITEM.match(lines[number]):
            yield number, found[1]


def _end(lines: list[bytes], start: int) -> int:
    """Return the line behind the last one of a block."""
    last = start
    for number, line in enumerate(lines[start + 1 :], start + 1):
        if line.strip() and not line.startswith((b" ", b"\t", b"-", b"#")):
            break
        if line.strip() and not line.startswith(b"#"):
            last = number
    return last + 1


def _blocks(text: bytes) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    for line in [*text.splitlines(), b""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def _names_one(line: bytes, names: set[bytes]) -> bool:
    found = _SETTING.match(line)
    return found is not None and found[1] in names


def _joined(text: bytes, lines: list[bytes]) -> bytes:
    """Put lines behind a text, with its line ends."""
    newline = b"\r\n" if b"\r\n" in text else b"\n"
    if not text.strip():
        lines = lines[1:] if lines[:1] == [b""] else lines
    end = newline if text and not text.endswith(b"\n") else b""
    return text + end + newline.join(lines) + newline


__all__ = ["code_locations", "location_blocks", "patterns", "settings"]
