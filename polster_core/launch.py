"""Start a project's own `run_polster.py`, in its own environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from polster_core import environment
from polster_core.errors import PolsterError
from polster_core.processes import clean_environment

SCRIPT = "run_polster.py"


def run(root: Path, args: Sequence[str]) -> int:
    """Run the project's script and return its exit code; POSIX does not come back from it.

    Raises PolsterError if there is no environment or no script.
    """
    python, script = environment.python(root), root / SCRIPT
    if not script.is_file():
        raise PolsterError(f"{SCRIPT} is missing", hint=f"restore it:  git checkout {SCRIPT}")
    if not python.exists():
        raise PolsterError(environment.problem(root) or "", hint="make one with  polster setup")
    command = [str(python), str(script), *args]
    variables = clean_environment(environment.folder(root))
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":  # one process: signals and the exit code need nobody in between
        os.execve(python, command, variables)  # noqa: S606 - there is no shell to start
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child gets Ctrl-C itself
    try:
        return subprocess.run(command, check=False, env=variables).returncode  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)
