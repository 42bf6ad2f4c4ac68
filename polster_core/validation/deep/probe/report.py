"""What is found, and where in the user's own files."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_COLUMNS = re.compile(r'"([^"]+)"')
_MEANT = re.compile(r'Did you mean "([^"]+)"')


@dataclass(frozen=True)
class Fault:
    """One finding, as `polster validate` shows it."""

    rule: str
    path: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: str = "error"


@dataclass
class Answer:
    """All findings, and notes on what could not be checked."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Place:
    """A position in a file; line and column count from 1."""

    path: str
    line: int
    column: int = 1


class Files:
    """The user's files: those of the project's `src`, without what upgrades replace."""

    def __init__(self, root: Path, prefix: str = "") -> None:
        """Remember where they are, with symbolic links followed, as tracebacks have them.

        `prefix` is what stands before the names `core` and `orchestration` of their modules.
        """
        self.root = root
        self.prefix = prefix
        self.source = (root / "src").resolve()

    def relative(self, file: str) -> str | None:
        """Return a file's path in the project; `None` if it is none of the user's."""
        try:
            inside = Path(file).resolve().relative_to(self.source)
        except ValueError:
            return None
        if "runtime" in inside.parts[:2]:
            return None
        return f"src/{inside.as_posix()}"

    def where(self, error: BaseException) -> Place | None:
        """Return the last place in the user's files that a traceback goes through."""
        if isinstance(error, SyntaxError) and error.filename:
            path = self.relative(error.filename)
            if path:
                return Place(path, error.lineno or 1, max(error.offset or 1, 1))
        found = None
        for frame in traceback.extract_tb(error.__traceback__):
            path = self.relative(frame.filename)
            if path and frame.lineno:
                found = Place(path, frame.lineno, _column(frame))
        return found


def _column(frame: traceback.FrameSummary) -> int:
    """Turn the offset in bytes that Python keeps into a column in characters."""
    offset, line = frame.colno or 0, getattr(frame, "_original_line", None) or frame.line or ""
    return len(line.encode()[:offset].decode(errors="ignore")) + 1 if line else offset + 1


def explained(error: BaseException) -> tuple[str, str]:
    """Return what an error says in one line, and the name that was probably meant."""
    text = str(error).strip()
    first = text.partition("\n")[0]
    said, _, known = first.partition("; valid columns: ")
    meant = _MEANT.search(text)
    if meant:
        hint = f"Did you mean {meant[1]}?"
    else:
        columns = _COLUMNS.findall(known)
        hint = f"there are {', '.join(columns)}" if columns else ""
    return (said or type(error).__name__), hint


def lines(error: BaseException) -> Iterator[str]:
    """Yield the lines of an error's message that say something."""
    yield from (line.strip() for line in str(error).splitlines() if line.strip())
