"""Being told to stop: Ctrl-C counts, wherever Python was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polster_runtime

IGNORED = """
import time
from polster_runtime.config.interruption import raise_ignored_again

class Last:
    def __del__(self):
        raise {error}

raise_ignored_again()
Last()
try:
    time.sleep({seconds})
    print("nothing")
except KeyboardInterrupt:
    print("told")
"""


def ran(error: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Return what a program says that Python lets go on after such an error."""
    program = IGNORED.format(error=error, seconds=seconds)
    (runtime,) = polster_runtime.__path__
    env = {**os.environ, "PYTHONPATH": str(Path(runtime).parent)}
    return subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )


def test_ctrl_c_that_python_ignores_is_raised_again() -> None:
    done = ran("KeyboardInterrupt", 600)
    assert (done.stdout, done.stderr) == ("told\n", "")


def test_other_errors_are_ignored_as_they_were() -> None:
    done = ran("ValueError('odd')", 0)
    assert done.stdout == "nothing\n"
    assert "ValueError: odd" in done.stderr
