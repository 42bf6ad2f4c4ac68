"""The environment variables of a project: those of the shell, of its .env, and of SECRETS."""

import os
import sys
from collections.abc import Mapping
from functools import cache

from polster_runtime.config import dotenv_files
from polster_runtime.config.root import is_started_by_dagster, module, project_root

FILLED = "POLSTER_FILLED"
"""Says which variables were not set by anybody, but read from the .env of which project."""


def variables() -> Mapping[str, str]:
    """The variables of the shell and, where it does not say, of .env (and .env.prod in prod).

    A test that replaces `core.settings.variables` says what they are instead.
    """
    named = getattr(sys.modules.get(module("core.settings")), "variables", variables)
    if named is not variables:
        replaced: Mapping[str, str] = named()
        return replaced
    _load_dotenv()
    return os.environ


@cache
def _load_dotenv() -> None:
    """Put .env into the environment, where libraries find it as well. The shell wins."""
    known = _forget_others()
    before = dict(os.environ)
    # What `dagster dev` has read of .env itself is no word of the shell.
    read = dotenv_files.values(only_first=True) if is_started_by_dagster() else {}
    for name, value in dotenv_files.values().items():
        if os.environ.get(name) in {None, read.get(name)}:
            os.environ[name] = value
    if os.environ.get("SECRETS"):
        from polster_runtime.config import secrets

        secrets.fill()
    known |= {name for name, value in os.environ.items() if before.get(name) != value}
    os.environ[FILLED] = "\n".join((str(project_root()), *sorted(known - {"DAGSTER_HOME"})))


def _forget_others() -> set[str]:
    """Return what a process of this project filled in that started this one.

    What one of another project did is taken out: else one project of several in a workspace
    would write into the storage of another.
    """
    root, *names = os.environ.get(FILLED, "").split("\n")
    if root == str(project_root()):
        return set(names)
    for name in names:
        os.environ.pop(name, None)
    return set()
