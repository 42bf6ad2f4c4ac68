"""The rows of all partitions of an asset."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import polars as pl
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.storage.columns import alike
from polster_runtime.storage.footers import FEW, footers

if TYPE_CHECKING:
    from polster_runtime.storage.store import Store

THREADS = 16
"""Files whose columns are asked for together where that is a request to a cloud."""


def rows_of_all(data: Store, paths: Sequence[str]) -> pl.LazyFrame:
    """The rows of many files; those with the same columns are read as one.

    Raises StorageError when a file is damaged, and when no type holds the values of a column in all
    files.
    """
    if len(paths) >= FEW and footers(data, paths).columns:
        return data.scan_alike(paths)
    schemas: dict[str, pl.Schema] = dict(zip(paths, _schemas(data, paths), strict=True))
    same: dict[object, list[str]] = {}
    for path, schema in schemas.items():
        same.setdefault(tuple(schema.items()), []).append(path)
    if len(same) == 1:
        return data.scan_alike(paths)
    frames = {files[0]: data.scan_alike(files) for files in same.values()}
    return pl.concat(alike(frames).values(), how="diagonal")


def _schemas(data: Store, paths: Sequence[str]) -> list[pl.Schema]:
    if isinstance(data.fs, LocalFileSystem):
        return [data.scan_file(path).collect_schema() for path in paths]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda path: data.scan_file(path).collect_schema(), paths))
