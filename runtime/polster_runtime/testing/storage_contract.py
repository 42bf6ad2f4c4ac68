"""What the contract of storage backends does with the store of a project.

    python -P storage_contract.py ACTION ASSET NUMBER

Runs in a project, where `polster_runtime` can be imported, and prints a JSON document; what starts
it is `polster_core.testing.StorageContract`. Every file that is written holds ROWS rows that all
say which write they are of, so that a reader can tell a whole file from any other.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.storage import compaction
from polster_runtime.storage.description import newest
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import Snapshot
from polster_runtime.storage.staging import stage

ROWS = 1_000
MANY_ROWS = 1_000_000
REST = 5
"""How many times as long as a read took its thread waits, to leave the writers some processor."""


class Tried:
    """A store, an asset in it, and what the tests do with them."""

    def __init__(self, asset: str) -> None:
        """Connect."""
        self.asset = AssetId.parse(asset)
        self.data = store()

    def write(self, number: int, rows: int = ROWS, on: Snapshot | None = None) -> str:
        """Publish rows; return where they are."""
        return self.publish(pl.LazyFrame({"row": range(rows)}), number, on)

    def publish(
        self, rows: pl.LazyFrame, number: int, on: Snapshot | None, **footer: object
    ) -> str:
        """Publish rows that say which write they are of; return where they are."""
        frame = rows.with_columns(write=pl.lit(number))
        staged = stage(frame, lambda: {"position": number, **footer})
        return self.data.publish(staged, self.data.new_path(self.asset, on=on))

    def read(self, snapshot: Snapshot) -> list[list[int]]:
        """Return the rows of each write in a snapshot: [write, rows]."""
        rows = self.data.scan(snapshot).group_by("write").agg(pl.len()).sort("write")
        return [list(row) for row in rows.collect().rows()]

    def latest(self) -> Snapshot:
        """Return the newest snapshot. Raises NoData."""
        return newest(self.data, self.asset)


def write(tried: Tried, number: int) -> Any:
    """Publish snapshots, one after the other."""
    return [tried.write(n) for n in range(number)]


def increase(tried: Tried, number: int) -> Any:
    """Publish increments on the newest snapshot."""
    return [tried.write(number + n, on=tried.latest()) for n in range(number)]


def replace(tried: Tried, number: int) -> Any:
    """Publish ten keys, then other rows for two of them, then the removal of one of the two."""
    keys = {"kind": "upsert", "key": ["row"]}
    tried.publish(pl.LazyFrame({"row": range(10)}), number, None, **keys)
    tried.publish(pl.LazyFrame({"row": [3, 4]}), number + 1, tried.latest(), **keys)
    gone = pl.LazyFrame({"row": [4], "_deleted": [True]})
    return tried.publish(gone, number + 2, tried.latest(), **keys)


def part(tried: Tried, number: int) -> Any:
    """Publish rows of partitions whose names no folder has; tell which there are, and all rows."""
    whole = tried.asset
    for key in ("2026-01-31-05:00", "a/b c", "2026-01-31-05:00"):
        tried.asset, number = whole.at(key), number + 1
        tried.write(number)
    tried.asset = whole
    return {
        "keys": sorted(tried.data.partitions(whole)),
        "chains": [len(tried.data.snapshots(one)) for one in tried.data.chains(whole)],
        "rows": tried.read(tried.latest()),
        "others": list(tried.data.other_files()),
    }


def merge(tried: Tried, number: int) -> Any:
    """Merge the increments of an asset, every so many of them; tell how many files there are."""
    compaction.TOGETHER = number
    compaction.compact(tried.data, tried.asset)
    return len(tried.latest().paths)


def grow(tried: Tried, number: int) -> Any:
    """Publish increments while others do, each in its turn, and merge them as runs do."""
    compaction.TOGETHER = 4
    wanted = iter(range(number * 1000, number * 1000 + 5))
    done, n = list[str](), next(wanted, None)
    while n is not None:
        with suppress(StorageError):  # another was faster: its increment comes first
            merge(tried, 4)
        try:
            done.append(tried.write(n, 10, on=tried.latest()))
            n = next(wanted, None)
        except StorageError as error:
            if "was published by another run meanwhile" not in str(error):
                raise
    return done


def look(tried: Tried, _: int) -> Any:
    """Tell everything about an asset."""
    found, latest = tried.data.snapshots(tried.asset), tried.data.latest(tried.asset)
    return {
        "snapshots": [list(snapshot.paths) for snapshot in found],
        "rows": [tried.read(snapshot) for snapshot in found],
        "latest": list(latest.paths) if latest else None,
        "provenance": tried.data.provenance(latest) if latest else None,
    }


def write_together(tried: Tried, number: int) -> Any:
    """Publish snapshots from five threads."""
    with ThreadPoolExecutor(5) as pool:
        return list(pool.map(tried.write, range(number * 1000, number * 1000 + 20)))


def read_together(tried: Tried, number: int) -> Any:
    """Read the newest snapshot in five threads until there are so many; tell what was not whole."""
    stop = threading.Event()

    def go_on() -> tuple[int, list[Any]]:
        broken: list[Any] = []
        for reads in count(1):
            began = time.monotonic()
            try:
                rows = tried.read(tried.latest())
                broken += [rows] if [n for _, n in rows] != [ROWS] else []
            except Exception as error:
                broken.append(repr(error))
            if stop.wait(REST * (time.monotonic() - began)) or len(broken) > ROWS:
                return reads, broken
        return 0, broken

    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(go_on) for _ in range(5)]
        try:
            while len(tried.data.snapshots(tried.asset)) < number:
                time.sleep(0.2)
        finally:
            stop.set()
    results = [future.result() for future in futures]
    return {
        "reads": sum(reads for reads, _ in results),
        "broken": [what for _, broken in results for what in broken],
    }


def contend(tried: Tried, number: int) -> Any:
    """Publish the same increment from many threads; tell how each of them ended."""
    on = tried.latest()

    def one(n: int) -> str:
        try:
            tried.write(n, on=on)
        except StorageError as error:
            return f"{error}"
        return "published"

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def fail(tried: Tried, _: int) -> Any:
    """Fail in the middle of a stream."""

    def rows(*_: object) -> Iterator[pl.DataFrame]:
        for n in range(20):
            yield pl.DataFrame({"row": range(100_000), "write": [n] * 100_000})
        raise ArithmeticError("in the middle")

    schema = {"row": pl.Int64, "write": pl.Int64}
    try:
        staged = stage(register_io_source(rows, schema=schema), dict)
        tried.data.publish(staged, tried.data.new_path(tried.asset))
    except Exception as error:
        return str(error)
    return None


def write_for_ever(tried: Tried, number: int) -> Any:
    """Publish large snapshots until somebody kills this process."""
    for n in count(number):
        print(tried.write(n, MANY_ROWS), flush=True)
    return None


def write_large(tried: Tried, number: int) -> Any:
    """Publish one large snapshot; tell what kept it from being published."""
    try:
        return tried.write(number, MANY_ROWS)
    except StorageError as error:
        return {"error": str(error)}


def delete_oldest(tried: Tried, _: int) -> Any:
    """Delete the oldest snapshot, twice: another run may have been faster."""
    oldest = tried.data.snapshots(tried.asset)[0]
    tried.data.delete(oldest)
    tried.data.delete(oldest)
    return None


ACTIONS: dict[str, Callable[[Tried, int], Any]] = {
    action.__name__: action
    for action in (
        write,
        increase,
        replace,
        part,
        merge,
        grow,
        look,
        write_together,
        read_together,
        contend,
        fail,
        write_for_ever,
        write_large,
        delete_oldest,
    )
}


def main() -> None:
    """Do what the command line asks for."""
    action, asset, number = sys.argv[1:]
    result = ACTIONS[action](Tried(asset), int(number))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
