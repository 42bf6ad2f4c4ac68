"""A large file is sent to the lake while it is being written, and appears whole or not at all."""

from __future__ import annotations

import json

from tests.generated.projects import Generated, told
from tests.storage.azurite import Azurite

AHEAD = """
import json, sys, time
import polars as pl
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.staging import stage
from core.storage import store

asset, data = Asset("bronze", "large"), store()
rows = pl.LazyFrame({"x": range(3_000_000)}).select(pl.col("x").hash(7))

def wait_for_blocks(path, count):
    deadline = time.monotonic() + 60
    while len(data.uploads[path]._sums) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)

def publish():
    path = data.new_path(asset)
    with data.ahead(path) as begun:
        staged = stage(rows, dict, begun=begun)
        blocks = staged.stat().st_size // 2**23
        wait_for_blocks(path, blocks)
        unseen = not data.snapshots(asset)
        return unseen, blocks, data.publish(staged, path)

def fail():
    path = data.new_path(asset)
    with data.ahead(path) as begun:
        staged = stage(rows, dict, begun=begun)
        wait_for_blocks(path, 1)
        raise KeyError

def write_again():
    path = data.new_path(asset)
    with data.ahead(path) as begun:
        staged = stage(rows, dict, begun=begun)
        wait_for_blocks(path, 1)
        other = staged.with_suffix(".other")
        rows.select(pl.col("x") * 3).sink_parquet(other)
        staged.write_bytes(other.read_bytes())  # in place: what was sent is not what is there
        other.unlink()
        data.publish(staged, path)

unseen, blocks, path = publish()
same = data.scan(data.latest(asset)).collect().equals(rows.collect())
try:
    fail()
except KeyError:
    pass
alone = len(data.snapshots(asset))
write_again()
again = data.scan(data.latest(asset)).collect().equals(rows.select(pl.col("x") * 3).collect())
print(json.dumps([unseen, blocks, same, alone, again, len(data.uploads)]))
"""


def test_blocks_go_ahead_and_appear_in_one_step(shop: Generated, azurite: Azurite) -> None:
    env = azurite.variables(azurite.create("ahead"))
    done = shop.python("-c", AHEAD, env=env)
    assert done.returncode == 0, told(done)
    unseen, blocks, same, alone, again, on_their_way = json.loads(done.stdout)
    assert unseen
    assert blocks > 1
    assert same
    assert alone == 1
    assert again
    assert on_their_way == 0
