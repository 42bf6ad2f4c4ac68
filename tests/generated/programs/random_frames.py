"""Run frames through silver_x, one JSON list of rows a line of stdin; answer with what came out."""

import json
import sys

import polars as pl

from core.storage import store
from polster_runtime.assets.binding import function_of
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.materialize import materialize
from polster_runtime.execution.quarantine import NothingRejected, latest
from polster_runtime.storage.staging import stage

KINDS = {
    "n": pl.Int64,
    "id": pl.String,
    "amount": pl.String,
    "kind": pl.String,
    "low": pl.Int64,
    "high": pl.Int64,
}
SILVER, BRONZE = AssetId("silver", "x"), AssetId("bronze", "x")
for line in sys.stdin:
    data = store()
    frame = pl.DataFrame(json.loads(line), schema=KINDS)
    data.publish(stage(frame.lazy(), dict), data.new_path(BRONZE))
    done = materialize(function_of(SILVER))
    published = data.latest(SILVER)
    assert published
    good = data.scan(published).select("n").collect()["n"].to_list()
    try:
        bad = latest(SILVER, data).rows.collect().to_dicts()
    except NothingRejected:
        bad = []
    answer = {"rows": done.rows, "rejected": done.rejected, "good": good, "bad": bad}
    print(json.dumps(answer, default=str), flush=True)
