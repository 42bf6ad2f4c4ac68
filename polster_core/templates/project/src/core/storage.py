"""The data of this project's assets, for notebooks, scripts and tests."""

from polster_runtime.errors import StorageError
from polster_runtime.storage.registry import read, store, write_parquet

__all__ = ["StorageError", "read", "store", "write_parquet"]
