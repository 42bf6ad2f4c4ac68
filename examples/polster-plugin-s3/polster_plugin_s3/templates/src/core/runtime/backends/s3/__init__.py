"""STORAGE_BACKEND=s3: S3. Upgrades of polster-plugin-s3 replace these files."""

import time
from functools import lru_cache

from core.runtime.backends.s3.access import Access
from core.runtime.backends.s3.bucket import Bucket
from core.runtime.backends.s3.diagnosis import diagnose
from core.settings import load
from polster_runtime.storage.cloud import connected
from polster_runtime.storage.store import Store

__all__ = ["connect", "diagnose"]

TRUSTED_SECONDS = 10.0
"""How long a bucket that has answered is taken to be there."""


def connect() -> Store:
    """The store in the bucket that the S3_ variables name.

    Raises SettingsError, Unreachable, and StorageError when S3 refuses.
    """
    return _open(load(Access), int(time.monotonic() / TRUSTED_SECONDS))


@lru_cache(maxsize=1)
def _open(access: Access, period: int) -> Store:
    return connected(_bucket(access))


@lru_cache(maxsize=4)
def _bucket(access: Access) -> Bucket:
    return Bucket.open(access)
