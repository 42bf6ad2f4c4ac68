"""Keep data in the project's own `data` folder."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import NewFile, ProjectContext, StorageBackend


@hookimpl
def polster_storage_backends() -> Iterable[StorageBackend]:
    """Offer `local`."""
    yield StorageBackend(name="local", summary="this folder")


@hookimpl
def polster_project_files(context: ProjectContext) -> Iterable[NewFile]:
    """Write it for every project: tests, and work without a network, need it."""
    from polster_core.rendering import project_files

    return project_files("polster_storage_local", "templates", context)
