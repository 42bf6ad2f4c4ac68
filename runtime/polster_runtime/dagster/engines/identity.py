"""What the code of this process is: a run and its workers must have the same."""

import hashlib
import platform
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from polster_runtime.config.paths import project_root
from polster_runtime.config.settings import settings

CODE = "code"
RESTART = "bring it to the run's commit and restart it:  python -m polster_runtime worker"
INSTALL = "install there what the run has, and restart the worker"
CHANGE = "give both the same .env"


def _code() -> str:
    """The state of the project's Python files."""
    found, folder = hashlib.sha256(), project_root() / "src"
    for file in sorted(folder.rglob("*.py")):
        name = file.relative_to(folder).as_posix()
        found.update(name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return found.hexdigest()[:12]


@cache
def _loaded() -> str:
    """The code as it was when this process began: it keeps its modules until it is restarted."""
    return _code()


def here() -> dict[str, str]:
    """What must be the same on a worker."""
    return {
        CODE: _loaded(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "Polars": version("polars"),
        "Dagster": version("dagster"),
        "polster_runtime": sys.modules["polster_runtime"].__version__,
        "STORAGE_BACKEND": settings().storage_backend,
    }


def difference(own: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Why a worker may not run a step, and what to do about it; "" where it may."""
    for name, value in wanted.items():
        if own.get(name) != value:
            hint = {CODE: RESTART, "STORAGE_BACKEND": CHANGE}.get(name, INSTALL)
            has = f"has {'the code' if name == CODE else name} {own.get(name)}"
            return f"this worker {has}, the run {value}; {hint}"
    return ""
