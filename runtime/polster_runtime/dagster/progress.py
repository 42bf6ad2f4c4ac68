"""What the terminal shows while assets run."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TextIO

from polster_runtime.execution import report

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

LIVE_LINES = 20


class Progress(logging.Handler):
    """Listens to the log of the assets: one line for each that finishes.

    On a terminal, one live line for each that runs as well, and how many are done.
    """

    def __init__(self, stream: TextIO, width: int) -> None:
        super().__init__()
        self.stream, self.width = stream, width
        self.print: Callable[[str], None] = lambda line: report.say(line, to=stream)
        self.done = 0
        self.running: dict[str, tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an asset that started, went on, finished or failed."""
        details: dict[str, Any] = getattr(record, "details", {})
        name = details.get("asset", "")
        if record.msg == "started":
            self.running[name] = (time.monotonic(), 0)
        elif record.msg == "rows so far" and name in self.running:
            self.running[name] = (self.running[name][0], details["rows"])
        elif record.msg == "trying again":
            self.done -= 1  # it was counted when it failed
            self.print(report.again(name, details["reason"], details["seconds"]))
        elif record.msg in {"materialized", "failed"}:
            self.running.pop(name, None)
            self.done += 1
            if materialized := getattr(record, "materialized", None):
                self.print(report.line(materialized, self.width))
            else:
                self.print(report.failed(name, details["seconds"], self.width))

    def live(self) -> "Live":
        """The live lines, for a terminal."""
        from rich.console import Console  # here: it is slow to import, and pipes need none of it
        from rich.live import Live

        console = Console(file=self.stream, highlight=False)
        live = Live(
            get_renderable=self._lines, console=console, transient=True, refresh_per_second=8
        )

        def print_above(line: str) -> None:
            console.print(line, markup=False, soft_wrap=True)
            live.refresh()

        self.print = print_above
        return live

    def _lines(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        now, running = time.monotonic(), list(self.running.items())
        rows = [
            f"{name:<{self.width}}{f'{count:,} rows' if count else '':>17}{now - began:>25.1f} s"
            for name, (began, count) in running[:LIVE_LINES]
        ]
        rows.append(f"{self.done} done, {len(running)} running")
        return Group(*(Text(row, style="dim") for row in rows))


@contextmanager
def shown(stream: TextIO, width: int) -> Iterator[None]:
    """Show the progress of what runs in the block."""
    log = logging.getLogger("core")
    handler, level = Progress(stream, width), log.level
    for other in log.handlers:
        other.setLevel(level)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        with handler.live() if stream.isatty() else nullcontext():
            yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def stream(json_wanted: bool) -> TextIO:
    """Where progress goes: not into the JSON document."""
    return sys.stderr if json_wanted else sys.stdout
