"""STORAGE_BACKEND=adls: Azure Data Lake Storage."""

import time
from functools import lru_cache

from polster_runtime.config.settings import load
from polster_runtime.storage.backends.adls.access import Access
from polster_runtime.storage.backends.adls.data_lake import DataLake
from polster_runtime.storage.backends.adls.diagnosis import diagnose
from polster_runtime.storage.cloud import connected
from polster_runtime.storage.store import Store

__all__ = ["connect", "diagnose"]

TRUSTED_SECONDS = 10.0
"""How long a lake that has answered is taken to be there."""


def connect() -> Store:
    """The store in the container that the ADLS_ variables name.

    Raises SettingsError, Unreachable, and StorageError when Azure refuses.
    """
    return _open(load(Access), int(time.monotonic() / TRUSTED_SECONDS))


@lru_cache(maxsize=1)
def _open(access: Access, period: int) -> Store:
    return connected(_lake(access))


@lru_cache(maxsize=4)
def _lake(access: Access) -> DataLake:
    return DataLake.open(access)
