"""The environment variables of a project: those of the shell, then those of its .env."""

import os
from collections.abc import Mapping
from functools import cache

from polster_runtime.config.root import project_root


def variables() -> Mapping[str, str]:
    """The variables of the shell and, where it does not say, those of .env."""
    _load_dotenv()
    return os.environ


@cache
def _load_dotenv() -> None:
    """Put .env into the environment, where libraries find it as well. The shell wins."""
    from dotenv import load_dotenv

    load_dotenv(project_root() / ".env", override=False)
