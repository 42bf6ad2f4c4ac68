"""The environment variables of a project: those of the shell, of its .env, and of SECRETS."""

import os
import sys
from collections.abc import Mapping
from functools import cache

from polster_runtime.config import dotenv_files
from polster_runtime.config.root import is_started_by_dagster, module


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
    # What `dagster dev` has read of .env itself is no word of the shell.
    read = dotenv_files.values(only_first=True) if is_started_by_dagster() else {}
    for name, value in dotenv_files.values().items():
        if os.environ.get(name) in {None, read.get(name)}:
            os.environ[name] = value
    if os.environ.get("SECRETS"):
        from polster_runtime.config import secrets

        secrets.fill()
