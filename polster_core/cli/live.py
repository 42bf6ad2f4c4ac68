"""One calm line on stderr while something takes long."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

import click

_PERIOD = 0.25
_ERASE = "\r\x1b[2K"


class Live:
    """Show what goes on and for how many seconds; in a terminal only, and gone at the end.

    With `verbose`, the program's own lines are printed instead.
    """

    def __init__(self, words: str, *, verbose: bool = False) -> None:
        """Say `words` in front of the seconds."""
        self._words = words
        self._verbose = verbose
        self._shown = sys.stderr.isatty() and not verbose
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to count."""
        if self._shown:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Take the line away."""
        self._done.set()
        if self._shown:
            self._thread.join()
            sys.stderr.write(_ERASE)
            sys.stderr.flush()

    def hear(self, line: str) -> None:
        """Take a line of a program's output."""
        if self._verbose:
            click.echo(line, err=True)

    def _tick(self) -> None:
        while not self._done.wait(_PERIOD):
            seconds = time.monotonic() - self._started
            sys.stderr.write(f"{_ERASE}{self._words}  {seconds:.0f} s")
            sys.stderr.flush()
