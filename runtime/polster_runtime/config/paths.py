"""Where things are on this machine."""

from pathlib import Path

from polster_runtime.config.environment import variables
from polster_runtime.config.root import module, package, project_root, pyproject, workspace

__all__ = [
    "assets_dir",
    "core_dir",
    "dagster_home",
    "data_dir",
    "module",
    "package",
    "project_root",
    "pyproject",
    "source_dir",
    "staging_dir",
]


def data_dir() -> Path:
    """Where the local backend keeps snapshots: DATA_DIR, or `data` of the project."""
    return project_root() / (variables().get("DATA_DIR") or "data")


def staging_dir() -> Path:
    """Where files are written before they are published."""
    return data_dir() / ".staging"


def dagster_home() -> Path:
    """Where Dagster keeps its history: DAGSTER_HOME, or `.dagster` of the project.

    Projects that share a workspace.yaml share the `.dagster` beside it.
    """
    if named := variables().get("DAGSTER_HOME"):
        return project_root() / Path(named).expanduser()
    shared = workspace()
    return (shared.parent if shared else project_root()) / ".dagster"


def source_dir() -> Path:
    """The folder of `core` and `orchestration`."""
    return project_root() / "src" / package()


def core_dir() -> Path:
    """The folder of the assets' functions."""
    return source_dir() / "core"


def assets_dir() -> Path:
    """The folder of the assets' Dagster files."""
    return source_dir() / "orchestration" / "assets"
