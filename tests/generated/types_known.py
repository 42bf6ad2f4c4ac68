"""What mypy knows of Dagster and Polars, which is the same in every project.

Finding it out takes ten seconds of a processor. It is done once, with the shared environment, and
each worker begins with a copy of that for each environment.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

VARIABLE = "MYPY_CACHE_DIR"


def shared(runtime: Path) -> Path:
    """Return the folder for what was found out with the Python of the shared environment."""
    return runtime.parents[1] / "mypy"


def variables(python: Path) -> dict[str, str]:
    """Return where mypy keeps what it knows, in the environment of a Python."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return {VARIABLE: str(python.parents[1] / f"mypy-{worker}")}


def lend(runtime: Path, python: Path) -> None:
    """Let mypy begin with what is known, in the environment of a Python."""
    if not Path(variables(python)[VARIABLE]).exists():
        shutil.copytree(shared(runtime), variables(python)[VARIABLE])
