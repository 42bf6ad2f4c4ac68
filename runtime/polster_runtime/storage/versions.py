"""How far the rows of an asset go, and what came after a point.

A full file begins an epoch, which is called after it; each increment counts on. Compaction changes
neither: a file that holds the full one and increments says in its name up to which. `parts` in the
footer of a merged file says how many of its last rows came with which increment.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from polster_runtime.errors import StorageError
from polster_runtime.storage.merging import survivors
from polster_runtime.storage.snapshots import Snapshot, is_first, numbers
from polster_runtime.storage.store import Store


class Version(NamedTuple):
    """How far the rows of an asset go."""

    epoch: str
    """The name of the full file that began to count."""
    number: int
    """The last increment."""


class Part(NamedTuple):
    """Rows of a file that came after a version."""

    path: str
    last: int | None
    """The last so many rows; None for all."""
    later: int = 0
    """Rows of these that came after it, and do not belong to it."""

    @property
    def rows(self) -> int:
        """How many rows it has, where it is not a whole file."""
        return (self.last or 0) - self.later

    def of(self, file: pl.LazyFrame) -> pl.LazyFrame:
        """Its rows, of those of its file."""
        return file if self.last is None else file.tail(self.last).head(self.rows)


def version(data: Store, snapshot: Snapshot) -> Version:
    """The version of a snapshot. Raises StorageError."""
    base = data.base(snapshot)
    return Version(data.epoch(snapshot), base.get("number", 0) + numbers(snapshot.path)[1])


def parts_since(
    data: Store, snapshot: Snapshot, seen: Version, until: int | None = None
) -> list[Part] | None:
    """What of a snapshot came after a version, and not after the increment `until`.

    None when nothing but all of it can be told.
    """
    now, base = version(data, snapshot), data.base(snapshot)
    until = now.number if until is None else until
    if now.epoch != seen.epoch or seen.number > now.number:
        return None
    found = list[Part]()
    for path in snapshot.paths:
        parts = _of_file(data, path, seen.number, until, base)
        if parts is None:
            return None
        found += parts
    return found


def _of_file(
    data: Store, path: str, seen: int, until: int, base: Mapping[str, Any]
) -> list[Part] | None:
    start, full = base.get("number", 0), is_first(path)
    first, last = (start + number for number in numbers(path))
    if last <= seen or (first > until and not full):
        return []
    if not full and first > seen and last <= until:
        return [Part(path, None)]
    parts = (base if full else data.provenance(Snapshot((path,)))).get("parts", [])
    if not parts or (seen + 1 if full else max(seen + 1, first)) < parts[0][0]:
        return None
    rows = sum(count for number, count in parts if number > seen)
    later = sum(count for number, count in parts if number > until)
    return [Part(path, rows, later)] if rows > later else []


def count(data: Store, parts: Sequence[Part]) -> int:
    """The number of rows of parts, those that replace or remove others as well."""
    whole = [data.scan_file(part.path).select(pl.len()) for part in parts if part.last is None]
    with data.errors():
        counted = pl.collect_all(whole)
    rows: int = sum(each.item() for each in counted)
    return rows + sum(part.rows for part in parts)


def rows_of(data: Store, snapshot: Snapshot, parts: Sequence[Part]) -> pl.LazyFrame:
    """The rows of parts, the last of each key; with `_deleted` where that is in them.

    They have all columns of the snapshot, of the types that its readers get.
    """
    files, frames = data.frames(snapshot), [data.scan(snapshot).clear()]
    key = data.base(snapshot).get("key")
    taken = [part.of(files[part.path]) for part in parts]
    return pl.concat([*frames, *survivors(taken, key)], how="diagonal")


def state_at(data: Store, snapshot: Snapshot, seen: Version, read: Sequence[str]) -> Snapshot:
    """The rows of an asset as they were at a version: of its files today, else of those read then.

    `read` are the names of these. Raises StorageError when neither are there.
    """
    start = data.base(snapshot).get("number", 0)
    spans = [(path, *(start + number for number in numbers(path))) for path in snapshot.paths]
    if start <= seen.number and not any(first <= seen.number < last for _, first, last in spans):
        return Snapshot(tuple(path for path, _, last in spans if last <= seen.number))
    folder = snapshot.paths[0].rsplit("/", 1)[0]
    paths = tuple(f"{folder}/{name.rsplit('/', 1)[-1]}" for name in read)
    with data.errors():
        if paths and all(data.fs.exists(path) for path in paths):
            return Snapshot(paths)
    raise StorageError(f"what was read of {folder} before is gone")
