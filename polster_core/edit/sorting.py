"""The order of imports and of `__all__`, as isort and ruff (I001, RUF022) want it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_PARTS = re.compile(r"\d+|\D")

Key = tuple[tuple[int, int, str], ...]


def natural(text: str) -> Key:
    """Return a key that sorts a9 before a10, and digits with a leading zero digit by digit."""
    return tuple(_part(part) for part in _PARTS.findall(text))


def _part(part: str) -> tuple[int, int, str]:
    if not part.isdecimal():
        return (1, 0, part)
    return (0, 0, part) if part.startswith("0") else (0, int(part), "")


def place(texts: Sequence[str], new: str) -> int:
    """Return the index at which `new` belongs: before the first text that sorts after it."""
    key = natural(new)
    return next((index for index, text in enumerate(texts) if natural(text) > key), len(texts))


def moved(texts: Sequence[str], index: int, new: str) -> int:
    """Return where the text at `index` goes when it becomes `new`.

    In a sorted sequence it goes where it belongs. In any other it stays, so that renaming there
    and back changes nothing; and so that no two sequences become the same, the one unsorted
    sequence that staying would sort is the exception, and its text goes where it had belonged.
    """
    rest = [text for at, text in enumerate(texts) if at != index]
    if any(natural(one) > natural(other) for one, other in pairwise(rest)):
        return index
    was, becomes = place(rest, texts[index]), place(rest, new)
    return {was: becomes, becomes: was}.get(index, index)
