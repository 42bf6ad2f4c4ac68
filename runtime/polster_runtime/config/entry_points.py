"""What plugins add to the runtime, by entry point: storage, sources, secrets, listeners, executors.

A project that holds its runtime as code lists them in its own pyproject.toml, which is read
directly, so that a backend is there as soon as it is written; packages that are installed bring
their own. The group `polster_runtime.storage` has modules with `connect()`, the group
`polster_runtime.sources` packages that bronze assets import, `polster_runtime.secrets` modules with
`connect()`, `polster_runtime.listeners` modules with `listener()`, and `polster_runtime.executors`
packages with `executor()`.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from types import ModuleType

from polster_runtime.config.root import pyproject
from polster_runtime.errors import SettingsError

STORAGE = "polster_runtime.storage"
SOURCES = "polster_runtime.sources"
SECRETS = "polster_runtime.secrets"
LISTENERS = "polster_runtime.listeners"
EXECUTORS = "polster_runtime.executors"
_COMMANDS = {STORAGE: "storage", EXECUTORS: "executor"}


def named(group: str) -> dict[str, str]:
    """The modules of a group by name; what the project says wins over what is installed."""
    return {**_installed(group), **_of_project(group)}


def find(group: str, name: str) -> ModuleType | None:
    """Import the module of a name; None when there is none. Raises ModuleNotFoundError."""
    target = _of_project(group).get(name) or _installed(group).get(name)
    return import_module(target) if target else None


def chosen(group: str, setting: str, name: str, own: Sequence[str] = ()) -> ModuleType:
    """Import what a setting names in a group; `own` are names of the setting that need none.

    Raises SettingsError, which says what this project has, and how it gets another.
    """
    try:
        found = find(group, name)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{setting}={name}: the package {error.name} is not installed; "
            "install what pyproject.toml lists with  pip install -e ."
        ) from None
    if found is None:
        raise SettingsError(
            f"{setting}={name}: this project has {', '.join((*own, *sorted(named(group))))}; "
            f"add another with  polster {_COMMANDS[group]} add {name}"
        )
    return found


def _of_project(group: str) -> dict[str, str]:
    found: dict[str, str] = pyproject().get("project", {}).get("entry-points", {}).get(group, {})
    return found


@cache
def _installed(group: str) -> dict[str, str]:
    from importlib.metadata import entry_points

    return {found.name: found.value for found in entry_points(group=group)}
