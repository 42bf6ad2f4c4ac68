"""Watch somebody else's code: keep what it prints from the terminal, and take its time."""

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
class Watched:
    """What was seen: seconds, and what was printed."""

    seconds: float = 0.0
    printed: _Drain = field(default_factory=_Drain)

    @property
    def words(self) -> str:
        """The beginning of what was printed; "" if nothing was."""
        text = " ".join(self.printed.kept.split())
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@contextmanager
def watching() -> Iterator[Watched]:
    """Watch the block."""
    seen = Watched()
    begin = time.perf_counter()
    try:
        with redirect_stdout(seen.printed), redirect_stderr(seen.printed):
            yield seen
    finally:
        seen.seconds = time.perf_counter() - begin
