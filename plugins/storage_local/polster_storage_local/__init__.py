"""Keep data in the project's own `data` folder."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import RuntimePart, StorageBackend


@hookimpl
def polster_storage_backends() -> Iterable[StorageBackend]:
    """Offer `local`."""
    yield StorageBackend(
        name="local",
        summary="this folder",
        runtime=(RuntimePart(package="polster_runtime.storage.backends.local", storage="local"),),
    )
