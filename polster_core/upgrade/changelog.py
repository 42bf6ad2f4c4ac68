"""What changed for users between two versions, from the CHANGELOG that comes with Polster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

_HEADING = re.compile(r"^## v?(?P<version>\d\S*)", re.MULTILINE)
_ITEM = re.compile(r"^- (?P<text>.*(?:\n(?: +\S.*)?)*)", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[^.\d])\.(?=\s|$)")
_WIDEST = 140


@dataclass(frozen=True, kw_only=True)
class Changes:
    """One version, and its changes in one line each."""

    version: str
    lines: tuple[str, ...]


def changes_between(before: str, after: str) -> list[Changes]:
    """Return the versions after `before` up to `after`, the newest first.

    Empty where the installation has no CHANGELOG.
    """
    return list(_between(_text(), before, after))


def _between(text: str, before: str, after: str) -> Iterator[Changes]:
    old, new = parsed(before), parsed(after)
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    for heading, end in zip(headings, ends, strict=False):  # no heading, one end
        if old < parsed(heading["version"]) <= new:
            items = _ITEM.finditer(text[heading.end() : end])
            lines = tuple(_short(item["text"]) for item in items)
            yield Changes(version=heading["version"], lines=lines)


def parsed(version: str) -> Version:
    """Return a version to compare; one that cannot be read is older than any other."""
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0.dev0")


def _short(item: str) -> str:
    """Return the first sentence of an item, cut where it is too long for a line."""
    text = " ".join(item.split())
    first = _SENTENCE.split(text, maxsplit=1)[0]
    if len(first) <= _WIDEST:
        return first
    return f"{first[: first.rfind(' ', 0, _WIDEST)]} …"


def _text() -> str:
    """Return the CHANGELOG of the wheel, or of the repository."""
    here = Path(__file__).parents[1]
    for path in (here / "CHANGELOG.md", here.parent / "CHANGELOG.md"):
        try:
            return path.read_text(encoding="utf-8")
        except OSError:
            continue
    return ""


__all__ = ["Changes", "changes_between", "parsed"]
