"""What a Markdown file tells its reader to do: its code blocks, in order, and its links.

A block under a line that is nothing but a bold path, **`src/core/bronze_orders.py`**, is that file.
Every other block is something to run, or, by its language, something that is only shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^```(?P<language>\w*)\s*$")
_CAPTION = re.compile(r"^\*\*`(?P<file>[^`]+)`\*\*$")
_HEADING = re.compile(r"^(?P<level>#{1,4}) (?P<title>.+)$")
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block, and where it stands."""

    language: str
    text: str
    line: int
    file: str = ""
    headings: tuple[str, ...] = ()
    """The headings it stands under, the title of the page first."""

    @property
    def section(self) -> str:
        """The heading of the second level that it stands under."""
        return self.headings[1] if len(self.headings) > 1 else ""


def blocks(markdown: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page. Raises ValueError for one that never ends."""
    lines = iter(enumerate(markdown.splitlines(), start=1))
    headings: list[str] = []
    caption = ""
    for number, line in lines:
        if heading := _HEADING.match(line):
            headings[len(heading["level"]) - 1 :] = [heading["title"]]
        if fence := _FENCE.match(line):
            text = _until_fence(lines, number)
            yield Block(
                language=fence["language"],
                text=text,
                line=number,
                file=caption,
                headings=tuple(headings),
            )
        if line.strip():
            found = _CAPTION.match(line)
            caption = found["file"] if found else ""


def _until_fence(lines: Iterator[tuple[int, str]], begin: int) -> str:
    kept: list[str] = []
    for _, line in lines:
        if line.rstrip() == "```":
            return "\n".join(kept) + "\n"
        kept.append(line)
    raise ValueError(f"the block that begins in line {begin} never ends")


def sections(markdown: str) -> list[str]:
    """Return the headings of the second level."""
    return [title for level, title in _headings(markdown) if level == 2]


def anchors(markdown: str) -> set[str]:
    """Return what links may point to within a page, as GitHub and GitLab name it."""
    return {
        re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-")
        for _, title in _headings(markdown)
    }


def links(markdown: str) -> list[str]:
    """Return the targets of all links and pictures outside of code."""
    prose = re.sub(r"`[^`\n]*`", "", _without_blocks(markdown))
    return [found["target"] for found in _LINK.finditer(prose)]


def _headings(markdown: str) -> Iterator[tuple[int, str]]:
    for line in _without_blocks(markdown).splitlines():
        if heading := _HEADING.match(line):
            yield len(heading["level"]), heading["title"].replace("`", "")


def _without_blocks(markdown: str) -> str:
    return re.sub(r"^```.*?^```\s*$", "", markdown, flags=re.MULTILINE | re.DOTALL)
