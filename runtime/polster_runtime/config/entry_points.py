"""What plugins add to the runtime, by entry point: storage, sources, secrets, listeners, executors.

A project that holds its runtime as code lists them in its own pyproject.toml, which is read
directly, so that a backend is there as soon as it is written; packages that are installed bring
their own. The group `polster_runtime.storage` has modules with `connect()`, the group
`polster_runtime.sources` packages that bronze assets import, `polster_runtime.secrets` modules with
`connect()`, `polster_runtime.listeners` modules with `listener()`, and `polster_runtime.executors`
packages with `executor()`.
"""

from functools import cache
from importlib import import_module
from types import ModuleType

from polster_runtime.config.root import pyproject

STORAGE = "polster_runtime.storage"
SOURCES = "polster_runtime.sources"
SECRETS = "polster_runtime.secrets"
LISTENERS = "polster_runtime.listeners"
EXECUTORS = "polster_runtime.executors"


def named(group: str) -> dict[str, str]:
    """The modules of a group by name; what the project says wins over what is installed."""
    return {**_installed(group), **_of_project(group)}


def find(group: str, name: str) -> ModuleType | None:
    """Import the module of a name; None when there is none. Raises ModuleNotFoundError."""
    target = _of_project(group).get(name) or _installed(group).get(name)
    return import_module(target) if target else None


def _of_project(group: str) -> dict[str, str]:
    found: dict[str, str] = pyproject().get("project", {}).get("entry-points", {}).get(group, {})
    return found


@cache
def _installed(group: str) -> dict[str, str]:
    from importlib.metadata import entry_points

    return {found.name: found.value for found in entry_points(group=group)}
