"""Whether a store can do what every store must be able to."""

from collections.abc import Callable, Iterator

from polster_runtime.config import paths
from polster_runtime.storage.snapshots import SUFFIX, Snapshot, unique_name
from polster_runtime.storage.store import Store

Step = tuple[str, Callable[[], str]]
"""A name, and what does it: it returns what there is to say, or raises."""


def probe_steps(opened: list[Store]) -> Iterator[Step]:
    """List, write, read and delete in a store; `opened` holds it by the time they are done."""
    probe: list[str] = []

    def listed() -> str:
        return f"{len(opened[0].assets())} assets have data"

    def write() -> str:
        import polars as pl

        path = f"{opened[0].root}/_doctor/{unique_name()}{SUFFIX}"
        paths.staging_dir().mkdir(parents=True, exist_ok=True)
        staged = paths.staging_dir() / path.rsplit("/", 1)[-1]
        pl.DataFrame({"probe": [1]}).write_parquet(staged)
        try:
            with opened[0].errors():
                opened[0].put(staged, path)
        finally:
            staged.unlink(missing_ok=True)
        probe.append(path)
        return "a file"

    def read() -> str:
        with opened[0].errors():
            rows = opened[0].scan(Snapshot((probe[0],))).collect().height
        return f"{rows} row of it"

    def delete() -> str:
        opened[0].delete(Snapshot((probe[0],)))
        return "it is gone"

    yield "list", listed
    yield "write", write
    yield "read", read
    yield "delete", delete
