"""Keep data in the project's own `data` folder."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import StorageBackend


@hookimpl
def polster_storage_backends() -> Iterable[StorageBackend]:
    """Offer `local`."""
    yield StorageBackend(name="local", summary="this folder")
