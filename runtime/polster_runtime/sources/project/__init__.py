"""What another project publishes: the newest snapshot of one of its gold assets.

    source = Project("gold_customers", "../crm")

    def extract(position: Position = None) -> Frames:
        return source.read(position)

The other project's data is read where it is, never its code, and its environment is not needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import SourceError, StorageError
from polster_runtime.sources.base import Frames, Position, replace_all

if TYPE_CHECKING:
    import polars as pl

    from polster_runtime.storage.snapshots import Snapshot
    from polster_runtime.storage.store import Store


class Project:
    """A gold asset of the project in a folder, from this project's folder.

    `columns` are those that are read, all unless given. `connection` is what the settings begin
    with: CRM_DATA says where the data is in place of the folder, as a path or a URL such as
    abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/crm/data. It is the name of the folder in capital
    letters unless given.
    """

    def __init__(
        self, asset: str, folder: str, *, columns: Sequence[str] = (), connection: str = ""
    ) -> None:
        self.asset, self.folder, self.columns = AssetId.parse(asset), folder, tuple(columns)
        self.name = folder.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
        self.connection = connection or connection_of(folder)

    def read(self, position: Position = None) -> Frames:
        """Yield what is new, and return the position behind it.

        Rows that the other asset only adds are added; when it has computed all its rows again,
        these take the place of all that was read before. Raises SourceError, SettingsError, and
        StorageError.
        """
        from polster_runtime.storage.versions import Version, parts_since, rows_of

        data, snapshot = self._newest()
        reached = _reached(data, snapshot)
        if reached == position:
            return position
        parts = None
        grows = not snapshot.partitioned and data.base(snapshot).get("key") is None
        if grows and position and "number" in position:
            seen = Version(position["epoch"], position["number"])
            parts = parts_since(data, snapshot, seen)
        if parts is None:
            replace_all()
            yield self._chosen(data.scan(snapshot))
        else:
            yield self._chosen(rows_of(data, snapshot, parts))
        return reached

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """What `polster doctor` tries, one after the other."""
        from polster_runtime.sources.project.place import store_of

        yield "data", lambda: store_of(self.folder, self.connection).root
        yield "newest snapshot", lambda: self._newest()[1].path.rpartition("/")[2]

    def _newest(self) -> tuple[Store, Snapshot]:
        from polster_runtime.sources.project.place import store_of

        data = store_of(self.folder, self.connection)
        snapshot = data.latest(self.asset)
        if snapshot is None:
            raise SourceError(
                f"{self.name}: {self.asset} has no data in {data.root}; run it there, or say where "
                f"its data is: {self.connection}_DATA",
                final=True,
            )
        return data, snapshot

    def _chosen(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        if not self.columns:
            return rows
        there = rows.collect_schema().names()
        if gone := [name for name in self.columns if name not in there]:
            raise SourceError(
                f"{self.name}: {self.asset} has no column {' and '.join(gone)} any more; it has "
                f"{', '.join(there)}",
                final=True,
            )
        return rows.select(self.columns)


def connection_of(folder: str) -> str:
    """What the settings of a project in a folder begin with: CRM for ../crm."""
    name = folder.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    found = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name.upper())
    return found if found[:1].isalpha() else f"P_{found}"


def _reached(data: Store, snapshot: Snapshot) -> Position:
    """How far a snapshot goes, as a position. Raises StorageError."""
    from polster_runtime.storage.snapshots import base_name
    from polster_runtime.storage.versions import version

    if snapshot.partitioned:
        names = "\n".join(sorted(map(base_name, snapshot.paths)))
        return {"files": hashlib.sha256(names.encode()).hexdigest()[:16]}
    found = version(data, snapshot)
    return {"epoch": found.epoch, "number": found.number}


__all__ = ["Project", "SourceError", "StorageError"]
