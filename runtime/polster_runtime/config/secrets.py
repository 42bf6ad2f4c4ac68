"""SECRETS: where variables come from that neither the shell nor .env has.

`SECRETS=env`, the default, is these two alone. `SECRETS=files` reads a file for each variable in
SECRETS_DIR, as Docker and Kubernetes write them. Any other name is that of an entry point in the
group `polster_runtime.secrets`: a module with `connect() -> SecretProvider`.
"""

import os
import re
from pathlib import Path
from typing import Protocol

from polster_runtime.config import entry_points
from polster_runtime.config.root import project_root
from polster_runtime.errors import SettingsError

NONE = "env"
_NAME = re.compile(r"^[ \t]*#?[ \t]*([A-Z][A-Z0-9_]*)[ \t]*=", re.MULTILINE)


class SecretProvider(Protocol):
    """Knows the values of some variables."""

    def names(self) -> set[str]:
        """The variables that it knows; the values stay where they are."""

    def get(self, name: str) -> str:
        """The value of one of these. Raises SettingsError when it is refused."""


class Files:
    """A file for each variable in a folder, named like it, in either case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> set[str]:
        """Those of which there is a file."""
        if not self.folder.is_dir():
            raise SettingsError(f"SECRETS_DIR={self.folder}: there is no such folder")
        return {path.name.upper() for path in self.folder.iterdir() if path.is_file()}

    def get(self, name: str) -> str:
        """What is in the file, without the line end."""
        for file in (self.folder / name, self.folder / name.lower()):
            if file.is_file():
                return file.read_text("utf-8").rstrip("\r\n")
        raise SettingsError(f"SECRETS_DIR={self.folder}: there is no file {name}")


def fill() -> None:
    """Put into the environment what the provider knows, and what nobody has set.

    It is asked for the variables of .env.example alone. Raises SettingsError.
    """
    chosen = os.environ.get("SECRETS", "").strip() or NONE
    if chosen == NONE:
        return
    provider = _provider(chosen)
    example = project_root() / ".env.example"
    used = set(_NAME.findall(example.read_text("utf-8"))) if example.is_file() else set[str]()
    for name in sorted(used & provider.names()):
        if not os.environ.get(name):
            os.environ[name] = provider.get(name)


def _provider(chosen: str) -> SecretProvider:
    if chosen == "files":
        return Files(Path(os.environ.get("SECRETS_DIR") or "/run/secrets"))
    try:
        found = entry_points.find(entry_points.SECRETS, chosen)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"SECRETS={chosen}: the package {error.name} is not installed"
        ) from None
    if found is None:
        there = ", ".join([NONE, "files", *sorted(entry_points.named(entry_points.SECRETS))])
        raise SettingsError(f"SECRETS={chosen}: this project has {there}")
    provider: SecretProvider = found.connect()
    return provider
