"""The settings of this project: one field for each environment variable. Add your own here."""

from dataclasses import dataclass

from polster_runtime.config.environment import variables
from polster_runtime.config.settings import RuntimeSettings, load
from polster_runtime.errors import SettingsError

__all__ = ["Settings", "SettingsError", "load", "settings", "variables"]


@dataclass(frozen=True, kw_only=True)
class Settings(RuntimeSettings):
    """`max_rejected` is read from MAX_REJECTED; a default that is given here counts everywhere."""


def settings() -> Settings:
    """The settings as they are now. Raises SettingsError."""
    return load(Settings)
