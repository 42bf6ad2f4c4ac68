"""Start a project's own `run_polster.py`, in its own environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from polster_core.environment import venv
from polster_core.environment.process import clean_environment
from polster_core.errors import PolsterError

SCRIPT = "run_polster.py"
RUNTIME = "polster_runtime"
"""What runs the commands of a project: `python -m polster_runtime COMMAND`."""


def run(root: Path, args: Sequence[str], *, returns: bool = False) -> int:
    """Run the project's script and return its exit code.

    POSIX does not come back from it, unless it `returns`, where something is left to do.

    Raises PolsterError if there is no environment of this project or no script.
    """
    script = root / SCRIPT
    if not script.is_file():
        raise PolsterError(f"{SCRIPT} is missing", hint=f"restore it:  git checkout {SCRIPT}")
    return _become([*_python(root), str(script), *args], root, returns=returns)


def run_module(root: Path, module: str, args: Sequence[str]) -> int:
    """Run one of the project's own modules, as `python -m` does, and return its exit code.

    Raises PolsterError if there is no environment of this project.
    """
    return _become([*_python(root), "-m", module, *args], root)


def output_of_module(root: Path, module: str, args: Sequence[str] = ()) -> str:
    """Run one of the project's own modules and return what it prints.

    Raises PolsterError if there is no environment of this project, and with what the module says if
    it fails.
    """
    done = subprocess.run(  # noqa: S603 - it is the project's own code
        [*_python(root), "-m", module, *args],
        check=False,
        env=clean_environment(venv.folder(root)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"{module} failed"]
        raise PolsterError(
            lines[-1].removeprefix("error: "), hint="look for what is wrong with  polster validate"
        )
    return done.stdout


def _python(root: Path) -> tuple[str]:
    if problem := venv.mismatch(root):
        raise PolsterError(problem, hint=f"make one with  {venv.retry(root)}")
    return (str(venv.python(root)),)


def _become(command: list[str], root: Path, *, returns: bool = False) -> int:
    variables = clean_environment(venv.folder(root))
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix" and not returns:  # one process: nobody in between
        os.execve(command[0], command, variables)  # noqa: S606 - there is no shell to start
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child gets Ctrl-C itself
    try:
        return subprocess.run(command, check=False, env=variables).returncode  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)
