"""Merge `.env.example`: blocks of comments and `NAME=value`, with blank lines between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from polster_core.upgrade.merge.lines import merge_lines, newline_of
from polster_core.upgrade.merge.result import Merged

_ASSIGNMENT = re.compile(rb"[ \t]*(?:#[ \t]*)?(?:export[ \t]+)?([A-Z][A-Z0-9_]*)[ \t]*=")
Block = tuple[bytes, ...]


def merge_settings(base: bytes, mine: bytes, new: bytes) -> Merged:
    """Merge by lines, and by variables where that is not possible.

    Where both changed the same variable, the team's line stays, and its name is a conflict.
    """
    text = merge_lines(base, mine, new)
    if text is not None and not _repeated(text, mine):
        return Merged(text=text)
    merge = _Merge(_blocks(base), _blocks(new))
    blocks = [*merge.kept(_blocks(mine)), *merge.added()]
    newline = newline_of(mine)
    text = (newline * 2).join(newline.join(block) for block in blocks if block) + newline
    return Merged(text=text, conflicts=tuple(merge.conflicts))


def _repeated(text: bytes, mine: bytes) -> bool:
    """Whether lines put together name a variable more often than the team does."""
    return _count_repeated(text) > _count_repeated(mine)


def _count_repeated(text: bytes) -> int:
    names = [name for line in text.splitlines() if (name := _name(line))]
    return len(names) - len(set(names))


def _blocks(text: bytes) -> list[Block]:
    blocks: list[list[bytes]] = [[]]
    for line in text.splitlines():
        if line.strip():
            blocks[-1].append(line.rstrip())
        elif blocks[-1]:
            blocks.append([])
    return [tuple(block) for block in blocks if block]


def _name(line: bytes) -> bytes | None:
    found = _ASSIGNMENT.match(line)
    return found[1] if found else None


def _names(block: Block) -> list[bytes]:
    return [name for line in block if (name := _name(line))]


def _lines(blocks: list[Block]) -> Mapping[bytes, bytes]:
    return {name: line for block in blocks for line in block if (name := _name(line))}


@dataclass
class _Merge:
    """One merge; `done` are the variables that the result has, or that the team took out."""

    base: list[Block]
    new: list[Block]
    conflicts: list[str] = field(default_factory=list)
    done: set[bytes] = field(default_factory=set)

    def kept(self, mine: list[Block]) -> Iterator[Block]:
        """Yield the team's blocks, with what Polster changed in them."""
        there = set(_lines(mine))
        for block in mine:
            names = _names(block)
            if names and block in self.base:
                yield from self._generated_again(names, there.difference(names) | self.done)
            else:
                yield tuple(self._changed(block))
            self.done.update(names)

    def added(self) -> Iterator[Block]:
        """Yield what is new: blocks with the variables that nobody had."""
        self.done.update(_lines(self.base))
        yield from self._without(self.new, self.done)

    def _generated_again(self, names: list[bytes], elsewhere: set[bytes]) -> Iterator[Block]:
        """Yield what has the place of a block that nobody edited."""
        found = [block for block in self.new if not set(names).isdisjoint(_names(block))]
        for block in self._without(found, elsewhere):
            self.done.update(_names(block))
            yield block

    def _without(self, blocks: list[Block], known: set[bytes]) -> Iterator[Block]:
        """Yield the blocks without variables that are known; none that then has no variable."""
        for block in blocks:
            if any(name not in known for name in _names(block)):
                yield tuple(line for line in block if _name(line) not in known)

    def _changed(self, block: Block) -> Iterator[bytes]:
        before, after = _lines(self.base), _lines(self.new)
        for line in block:
            name = _name(line)
            old, wanted = (before.get(name), after.get(name)) if name else (None, None)
            if name is None or wanted in (old, line):
                yield line
            elif line == old:
                if wanted is not None:
                    yield wanted
            else:
                yield line
                if wanted is not None:
                    self.conflicts.append(f"{name.decode()}: Polster has  {wanted.decode()}")
