"""What the footers of many files say, remembered: published files do not change.

An asset of 10,000 partitions has 10,000 footers, which take seconds to read. They are counted in
groups of some files; a group is counted again when one of its files is another, or is no longer
what it was. Only what the files of a cloud were is not looked at a second time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import polars as pl
from fsspec.implementations.local import LocalFileSystem

from polster_runtime.config import paths
from polster_runtime.storage.partitions import asset_of_path

if TYPE_CHECKING:
    from polster_runtime.storage.store import Store

GROUPS = 128
FEW = 64
"""Files that are read again each time, since that takes no time."""
THREADS = 16
"""Groups that are counted together where each footer is a request to a cloud."""


class Footers(NamedTuple):
    """What the footers of some files say."""

    rows: int
    columns: str
    """Names the columns and their types; empty where the files differ in them."""


def footers(data: Store, files: Sequence[str]) -> Footers:
    """Count the rows of the partitions of an asset, and compare their columns.

    Raises StorageError and PolarsError where a file is damaged.
    """
    if len(files) < FEW:
        return _read(data, files)
    groups: dict[str, list[str]] = {}
    for path in files:
        groups.setdefault(str(crc32(path.rsplit("/", 2)[-2].encode()) % GROUPS), []).append(path)
    return _together(list(_remembered(data, groups).values()))


def _remembered(data: Store, groups: Mapping[str, Sequence[str]]) -> dict[str, Footers]:
    asset = asset_of_path(next(iter(groups.values()))[0])
    file = paths.staging_dir() / "footers" / f"{asset.whole}.json"
    known, marks = _load(file), {name: _mark(data, group) for name, group in groups.items()}
    found = {name: known[mark] for name, mark in marks.items() if mark in known}
    new = [name for name in groups if name not in found]
    read = partial(_read, data)
    if isinstance(data.fs, LocalFileSystem):
        counted = list(map(read, (groups[name] for name in new)))
    else:
        with ThreadPoolExecutor(THREADS) as pool:
            counted = list(pool.map(read, (groups[name] for name in new)))
    found |= zip(new, counted, strict=True)
    if new:
        _keep(file, {marks[name]: one for name, one in found.items()})
    return found


def _read(data: Store, files: Sequence[str]) -> Footers:
    schemas = [data.scan_file(path).collect_schema() for path in files]
    if any(schema != schemas[0] for schema in schemas[1:]):
        return Footers(0, "")
    rows: int = data.scan_alike(files).select(pl.len()).collect().item()
    return Footers(rows, sha256(repr(list(schemas[0].items())).encode()).hexdigest()[:16])


def _together(found: Sequence[Footers]) -> Footers:
    alike = len({one.columns for one in found}) == 1
    return Footers(sum(one.rows for one in found), found[0].columns if alike else "")


def _mark(data: Store, files: Sequence[str]) -> str:
    """What is different as soon as one of some files is."""
    seen = sha256()
    for path in sorted(files):
        seen.update(f"{path}\n".encode())
        if isinstance(data.fs, LocalFileSystem):
            with suppress(OSError):
                now = os.stat(path)  # noqa: PTH116 - of 10,000 files
                seen.update(f"{now.st_size} {now.st_mtime_ns}\n".encode())
    return seen.hexdigest()[:32]


def _load(file: Path) -> dict[str, Footers]:
    try:
        found = json.loads(file.read_bytes())
        return {mark: Footers(int(rows), str(columns)) for mark, (rows, columns) in found.items()}
    except (AttributeError, OSError, TypeError, ValueError):  # none, or another program's
        return {}


def _keep(file: Path, found: Mapping[str, Footers]) -> None:
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    with suppress(OSError):  # then the footers are read again
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(found), encoding="utf-8")
        fresh.replace(file)
