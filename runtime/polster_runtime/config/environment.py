"""The environment variables of a project: those of the shell, of its .env, and of SECRETS."""

import os
import sys
from collections.abc import Mapping
from functools import cache

from polster_runtime.config.root import project_root


def variables() -> Mapping[str, str]:
    """The variables of the shell and, where it does not say, those of .env.

    A test that replaces `core.settings.variables` says what they are instead.
    """
    named = getattr(sys.modules.get("core.settings"), "variables", variables)
    if named is not variables:
        replaced: Mapping[str, str] = named()
        return replaced
    _load_dotenv()
    return os.environ


@cache
def _load_dotenv() -> None:
    """Put .env into the environment, where libraries find it as well. The shell wins."""
    from dotenv import load_dotenv

    load_dotenv(project_root() / ".env", override=False)
    if os.environ.get("SECRETS"):
        from polster_runtime.config import secrets

        secrets.fill()
