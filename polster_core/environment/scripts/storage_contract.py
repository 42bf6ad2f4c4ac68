"""What the contract of storage backends does with a store, for `polster_core.testing`.

    python storage_contract.py PROJECT ACTION [ASSET [NUMBER]]

Runs in a project's environment. Prints a JSON document. Every file that is written holds ROWS rows
that all say which write they are of, so that a reader can tell a whole file from any other.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

ROWS = 1_000
MANY_ROWS = 1_000_000


class Tried:
    """A store, an asset in it, and what the tests do with them."""

    def __init__(self, asset: str) -> None:
        """Connect."""
        self.pl: Any = import_module("polars")
        self.errors: Any = import_module("polster_runtime.errors")
        self.stage: Any = import_module("polster_runtime.storage.staging").stage
        self.asset: Any = import_module("polster_runtime.domain.asset_id").AssetId.parse(asset)
        self.data: Any = import_module("polster_runtime.storage.registry").store()

    def write(self, number: int, rows: int = ROWS, on: Any = None) -> str:
        """Publish rows; return where they are."""
        frame = self.pl.LazyFrame({"row": range(rows)}).with_columns(write=self.pl.lit(number))
        staged = self.stage(frame, lambda: {"position": number})
        path: str = self.data.publish(staged, self.data.new_path(self.asset, on=on))
        return path

    def read(self, snapshot: Any) -> list[list[int]]:
        """Return the rows of each write in a snapshot: [write, rows]."""
        rows = self.data.scan(snapshot).group_by("write").agg(self.pl.len()).sort("write")
        return [list(row) for row in rows.collect().rows()]


def write(tried: Tried, number: int) -> Any:
    """Publish snapshots, one after the other."""
    return [tried.write(n) for n in range(number)]


def increase(tried: Tried, number: int) -> Any:
    """Publish increments on the newest snapshot."""
    return [tried.write(number + n, on=tried.data.latest(tried.asset)) for n in range(number)]


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
    """Read the newest snapshot again and again in five threads; tell what was not whole."""
    stop = threading.Event()

    def go_on() -> tuple[int, list[Any]]:
        broken: list[Any] = []
        for reads in count(1):
            try:
                rows = tried.read(tried.data.latest(tried.asset))
                broken += [rows] if [n for _, n in rows] != [ROWS] else []
            except Exception as error:  # noqa: BLE001 - whatever a reader saw is told
                broken.append(repr(error))
            if stop.is_set() or len(broken) > ROWS:
                return reads, broken
        return 0, broken

    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(go_on) for _ in range(5)]
        time.sleep(number)
        stop.set()
    results = [future.result() for future in futures]
    return {
        "reads": sum(reads for reads, _ in results),
        "broken": [what for _, broken in results for what in broken],
    }


def contend(tried: Tried, number: int) -> Any:
    """Publish the same increment from many threads; tell how each of them ended."""
    on = tried.data.latest(tried.asset)

    def one(n: int) -> str:
        try:
            tried.write(n, on=on)
        except tried.errors.StorageError as error:
            return f"{error}"
        return "published"

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def fail(tried: Tried, _: int) -> Any:
    """Fail in the middle of a stream."""
    pl = tried.pl

    def rows(*_: object) -> Iterator[Any]:
        for n in range(20):
            yield pl.DataFrame({"row": range(100_000), "write": [n] * 100_000})
        raise ArithmeticError("in the middle")

    schema = {"row": pl.Int64, "write": pl.Int64}
    register = import_module("polars.io.plugins").register_io_source
    try:
        staged = tried.stage(register(rows, schema=schema), dict)
        tried.data.publish(staged, tried.data.new_path(tried.asset))
    except Exception as error:  # noqa: BLE001 - Polars wraps it
        return str(error)
    return None


def write_for_ever(tried: Tried, number: int) -> Any:
    """Publish large snapshots until somebody kills this process."""
    for n in count(number):
        print(tried.write(n, MANY_ROWS), flush=True)  # noqa: T201 - it is being watched
    return None


def write_large(tried: Tried, number: int) -> Any:
    """Publish one large snapshot; tell what kept it from being published."""
    try:
        return tried.write(number, MANY_ROWS)
    except tried.errors.StorageError as error:
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
    project, action, asset, number = sys.argv[1:]
    sys.path.insert(0, str(Path(project) / "src"))
    result = ACTIONS[action](Tried(asset), int(number))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
