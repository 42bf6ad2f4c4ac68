"""Send a large file to the lake while it is staged: whole, given up, and changed meanwhile.

Prints, as JSON: nothing was seen before it was published; blocks that were sent ahead; the rows are
the same; snapshots after one that was given up; the rows of the one that was changed are right;
uploads that are still on their way.
"""

import json
import time
from contextlib import suppress
from typing import Any

import polars as pl

from core.storage import store
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.staging import stage

ASSET = AssetId("bronze", "large")
TIMEOUT = 600.0
data: Any = store()
rows = pl.LazyFrame({"x": range(3_000_000)}).select(pl.col("x").hash(7))


def wait_for_blocks(path: str, count: int) -> None:
    """Wait until so many blocks of a file have been sent."""
    deadline = time.monotonic() + TIMEOUT
    while len(data.uploads[path]._sums) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def publish() -> tuple[bool, int]:
    """Publish; return whether nothing was seen before, and how many blocks had been sent."""
    path = data.new_path(ASSET)
    with data.ahead(path) as begun:
        staged = stage(rows, dict, begun=begun)
        blocks = staged.stat().st_size // 2**23
        wait_for_blocks(path, blocks)
        unseen = not data.snapshots(ASSET)
        data.publish(staged, path)
        return unseen, blocks


def fail() -> None:
    """Fail after the first block."""
    path = data.new_path(ASSET)
    with data.ahead(path) as begun:
        stage(rows, dict, begun=begun)
        wait_for_blocks(path, 1)
        raise KeyError


def write_again() -> None:
    """Publish other rows than those that were sent ahead."""
    path = data.new_path(ASSET)
    with data.ahead(path) as begun:
        staged = stage(rows, dict, begun=begun)
        wait_for_blocks(path, 1)
        other = staged.with_suffix(".other")
        rows.select(pl.col("x") * 3).sink_parquet(other)
        staged.write_bytes(other.read_bytes())  # in place: what was sent is not what is there
        other.unlink()
        data.publish(staged, path)


unseen, blocks = publish()
same = data.scan(data.latest(ASSET)).collect().equals(rows.collect())
with suppress(KeyError):
    fail()
alone = len(data.snapshots(ASSET))
write_again()
again = data.scan(data.latest(ASSET)).collect().equals(rows.select(pl.col("x") * 3).collect())
print(json.dumps([unseen, blocks, same, alone, again, len(data.uploads)]))
