"""Where things are on this machine."""

from pathlib import Path

from polster_runtime.config.environment import variables
from polster_runtime.config.root import project_root, pyproject

__all__ = [
    "assets_dir",
    "core_dir",
    "dagster_home",
    "data_dir",
    "project_root",
    "pyproject",
    "staging_dir",
]


def data_dir() -> Path:
    """Where the local backend keeps snapshots: DATA_DIR, or `data` of the project."""
    return project_root() / (variables().get("DATA_DIR") or "data")


def staging_dir() -> Path:
    """Where files are written before they are published."""
    return data_dir() / ".staging"


def dagster_home() -> Path:
    """Where Dagster keeps its history: DAGSTER_HOME, or `.dagster` of the project."""
    return project_root() / Path(variables().get("DAGSTER_HOME") or ".dagster").expanduser()


def core_dir() -> Path:
    """The folder of the assets' functions."""
    return project_root() / "src" / "core"


def assets_dir() -> Path:
    """The folder of the assets' Dagster files."""
    return project_root() / "src" / "orchestration" / "assets"
