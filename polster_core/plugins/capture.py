"""Capture what somebody else's code prints, and measure how long it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import TextIOBase

_KEPT = 10_000
_SHOWN = 60


class _Drain(TextIOBase):
    """Takes any amount of text and keeps the beginning."""

    def __init__(self) -> None:
        self.kept = ""

    def write(self, text: str) -> int:
        self.kept += text[: _KEPT - len(self.kept)]
        return len(text)

    def writable(self) -> bool:
        return True


@dataclass
class Captured:
    """How long a block took, in seconds, and what it printed."""

    seconds: float = 0.0
    printed: _Drain = field(default_factory=_Drain)

    @property
    def text(self) -> str:
        """The beginning of what was printed; "" if nothing was."""
        line = " ".join(self.printed.kept.split())
        return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


@contextmanager
def captured() -> Iterator[Captured]:
    """Keep what the block prints from the terminal; seconds and text are known once it ended."""
    seen = Captured()
    begin = time.perf_counter()
    try:
        with redirect_stdout(seen.printed), redirect_stderr(seen.printed):
            yield seen
    finally:
        seen.seconds = time.perf_counter() - begin
