"""Follows what becomes of runs, and says on the terminal what failed."""

import sys
from collections.abc import Sequence

from polster_runtime.execution.events import Run, RunListener


class Listener(RunListener):
    """Hears of what it has a method for; `RunListener` has all of them."""

    def run_failed(self, run: Run, reasons: Sequence[str]) -> None:
        """Say which run it was, and why it failed."""
        print(run.url, *reasons, sep="\n  ", file=sys.stderr)


def listener() -> RunListener:
    """Return what every run tells of itself."""
    return Listener()
