"""STORAGE_BACKEND=local: data/ in this project."""

from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config import paths
from polster_runtime.storage.store import Store


def connect() -> Store:
    """The store in this project's data folder."""
    return Store(LocalFileSystem(), paths.data_dir().as_posix())
