"""Lines of generated Python, broken where ruff would break them."""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from collections.abc import Sequence

WIDTH = 100
"""Columns: the line length of generated projects."""
_STEP = " " * 4
_ENDING_QUOTES = re.compile(r'"{3,}|^"+|"+$')
"""Quotes that would begin or end a docstring, or that stand where it begins or ends."""


def bracketed(head: str, items: Sequence[str], tail: str, *, indent: int = 0) -> str:
    """Return `head`, the items and `tail` in one line, or with a line for each item.

    `head` ends with the opening bracket, `tail` begins with the closing one. The comma behind the
    last of several lines keeps them apart when ruff formats the file.
    """
    margin = _STEP * indent
    line = f"{margin}{head}{', '.join(items)}{tail}"
    if len(line) <= WIDTH:
        return line
    lines = [f"{margin}{head}", *(f"{margin}{_STEP}{item}," for item in items), f"{margin}{tail}"]
    return "\n".join(map(_excused, lines))


def _excused(line: str) -> str:
    """Excuse a line whose name is so long that nothing can break it."""
    return f"{line}  # noqa: E501" if len(line) > WIDTH and "\n" not in line else line


def imported(module: str, name: str) -> str:
    """Return `from module import name`."""
    line = f"from {module} import {name}"
    return line if len(line) <= WIDTH else bracketed(f"from {module} import (", [name], ")")


def assigned(name: str, text: str) -> str:
    """Return an assignment of a text: `FILES = "data/*.csv"`."""
    return _excused(f"{name} = {quoted(text)}")


def quoted(text: str) -> str:
    """Return a text as a string of Python, in the quotes that need no escapes if there are any."""
    has_double_only = '"' in text and "'" not in text
    return repr(text) if has_double_only else json.dumps(text, ensure_ascii=False)


def _escaped(quotes: re.Match[str]) -> str:
    return '\\"' * len(quotes[0])


def one_line(text: str) -> str:
    """Return a text without line breaks, control characters and what UTF-8 cannot hold."""
    plain = (" " if unicodedata.category(sign) in {"Cc", "Cs"} else sign for sign in text)
    return " ".join("".join(plain).split())


def docstring(text: str, *, indent: int = 0) -> str:
    """Return a text as a docstring, without the first margin.

    White space is collapsed, and control characters count as such; whatever the text has in quotes
    and backslashes, Python reads it back.
    """
    words = _ENDING_QUOTES.sub(_escaped, one_line(text).replace("\\", "\\\\"))
    margin = _STEP * indent
    if len(f'{margin}"""{words}"""') <= WIDTH:
        return f'"""{words}"""'
    lines = textwrap.wrap(
        words,
        WIDTH - len('"""'),  # so that there are two lines, or one that cannot be broken
        initial_indent=f'{margin}"""',
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    if len(lines) == 1:
        return f'{lines[0].lstrip()}"""'
    return "\n".join([*lines, f'{margin}"""']).lstrip()
