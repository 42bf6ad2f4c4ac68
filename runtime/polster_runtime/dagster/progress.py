"""What the terminal shows while assets run."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, TextIO

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution import report
from polster_runtime.execution.events import RunListener, listening
from polster_runtime.execution.result import Materialized

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

LIVE_LINES = 20


class Progress(RunListener):
    """Follows a run: one line for each asset that finishes.

    On a terminal, one live line for each that runs as well, and how many are done.
    """

    def __init__(self, stream: TextIO, width: int) -> None:
        self.stream, self.width = stream, width
        self.print: Callable[[str, str], None] = lambda line, style: report.say(line, to=stream)
        self.done = 0
        self.running: dict[AssetId, tuple[float, int]] = {}
        self.lock = Lock()

    def started(self, asset: AssetId) -> None:
        """Show that an asset runs."""
        self.running[asset] = (time.monotonic(), 0)

    def rows_so_far(self, asset: AssetId, rows: int) -> None:
        """Show how many rows a source has yielded."""
        if asset in self.running:
            self.running[asset] = (self.running[asset][0], rows)

    def retrying(self, asset: AssetId, reason: str, seconds: float) -> None:
        """Say why a source is tried again."""
        with self.lock:
            self.done -= 1  # it was counted when it failed
            self.print(report.again(str(asset), reason, seconds), "")

    def finished(self, done: Materialized) -> None:
        """Say what was published."""
        self._end(done.asset, report.line(done, self.width))

    def failed(self, asset: AssetId, seconds: float) -> None:
        """Say that an asset failed."""
        self._end(asset, report.failed(str(asset), seconds, self.width), "red")

    def _end(self, asset: AssetId, line: str, style: str = "") -> None:
        with self.lock:
            self.running.pop(asset, None)
            self.done += 1
            self.print(line, style)

    def live(self) -> "Live":
        """The live lines, for a terminal."""
        from rich.console import Console  # here: it is slow to import, and pipes need none of it
        from rich.live import Live

        console = Console(file=self.stream, highlight=False)
        live = Live(
            get_renderable=self._lines, console=console, transient=True, refresh_per_second=8
        )

        def print_above(line: str, style: str) -> None:
            console.print(line, style=style, markup=False, soft_wrap=True)
            live.refresh()

        self.print = print_above
        return live

    def _lines(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        now, running = time.monotonic(), list(self.running.items())
        rows = [
            f"{name!s:<{self.width}}{f'{count:,} rows' if count else '':>17}{now - began:>25.1f} s"
            for name, (began, count) in running[:LIVE_LINES]
        ]
        rows.append(f"{self.done} done, {len(running)} running")
        return Group(*(Text(row, style="dim") for row in rows))


@contextmanager
def shown(stream: TextIO, width: int) -> Iterator[None]:
    """Show the progress of what runs in the block."""
    progress = Progress(stream, width)
    with listening(progress), progress.live() if stream.isatty() else nullcontext():
        yield


def stream(json_wanted: bool) -> TextIO:
    """Where progress goes: not into the JSON document."""
    return sys.stderr if json_wanted else sys.stdout
