"""The storage backend s3, as projects use it: `STORAGE_BACKEND=s3`.

`connect` opens the store, `diagnose` is what `polster doctor` tries before that.
"""

import time
from functools import lru_cache

from polster_runtime.config.settings import load
from polster_runtime.storage.cloud import connected
from polster_runtime.storage.store import Store
from polster_s3.access import Access
from polster_s3.bucket import Bucket
from polster_s3.diagnosis import diagnose

__all__ = ["connect", "diagnose"]

TRUSTED_SECONDS = 10.0
"""How long a bucket that has answered is taken to be there."""


def connect() -> Store:
    """Return the store in the bucket that the S3_ variables name.

    Raises SettingsError, Unreachable, and StorageError when S3 refuses.
    """
    return _open(load(Access), int(time.monotonic() / TRUSTED_SECONDS))


@lru_cache(maxsize=1)
def _open(access: Access, period: int) -> Store:
    return connected(_bucket(access))


@lru_cache(maxsize=4)
def _bucket(access: Access) -> Bucket:
    return Bucket.open(access)
