"""A listener of the project's own: it writes what it hears of runs into data/heard.jsonl."""

import json
from collections.abc import Sequence

from polster_runtime.config.root import project_root
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.events import Run, RunListener

FILE = project_root() / "data" / "heard.jsonl"


class Heard(RunListener):
    """Hears how runs go."""

    def run_started(self, run: Run) -> None:
        """Note the run."""
        _note("started", run)

    def run_finished(self, run: Run) -> None:
        """Note the run."""
        _note("finished", run)

    def run_failed(self, run: Run, reasons: Sequence[str]) -> None:
        """Note the run, and why."""
        _note("failed", run, *reasons)

    def checks_failed(self, run: Run, found: Sequence[str]) -> None:
        """Note the run, and what was found."""
        _note("checks", run, *found)

    def overdue(self, asset: AssetId, hours: float, allowed: float) -> None:
        """Note the asset."""
        _note("overdue", None, f"{asset} {hours:.0f} {allowed:g}")


def listener() -> RunListener:
    """Hear."""
    return Heard()


def _note(what: str, run: Run | None, *lines: str) -> None:
    FILE.parent.mkdir(exist_ok=True)
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps([what, run.url if run else "", *lines]) + "\n")
