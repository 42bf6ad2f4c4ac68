"""Upgrade a project, and die at the call that was asked for: `python killed.py ROOT CALL NEW`.

The calls are those that change the disk, in order; NEW is a JSON file with what is generated now.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from polster_core.plan.apply import apply
from tests.upgrade.project import planned

_CHANGES = ("rename", "replace", "mkdir", "write_bytes", "write_text", "hardlink_to")


def die_at(call: int) -> None:
    """Make the process kill itself instead of making that call."""
    calls = iter(range(1_000))

    def fragile(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if next(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return wrapped

    for name in _CHANGES:
        setattr(Path, name, fragile(getattr(Path, name)))


if __name__ == "__main__":
    root, new = Path(sys.argv[1]), json.loads(Path(sys.argv[3]).read_text())
    _, plan = planned(root, new)
    die_at(int(sys.argv[2]))
    apply(plan)
