"""Where the Pythons are that Polster promises to work with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from polster_core.environment.venv import PYTHONS

VERSIONS = tuple(".".join(map(str, python)) for python in PYTHONS)


def find(version: str) -> Path | None:
    """Return an interpreter of a version such as 3.12, if there is one."""
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in _candidates(version):
        # One that is on PATH need not work: pyenv has a shim there for each that it has anywhere.
        if _said(str(candidate), "-c", script) == version:
            return candidate
    return None


def _candidates(version: str) -> Iterator[Path]:
    """Yield what may be an interpreter of a version: this one, on PATH, pyenv's, uv's own."""
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        if path := shutil.which(f"python{version}", path=folder):
            yield Path(path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"))
    uv = (sys.executable, "-m", "uv", "python", "find", "--managed-python", version)
    if managed := _said(*uv):
        yield Path(managed)


def _said(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
