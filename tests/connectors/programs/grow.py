"""Run bronze_n again and again, while its source grows: grow.py FIRST RUNS EACH [SECONDS].

Four increments are merged here, not sixteen; what was merged stays for some seconds, or a day.
Prints how many files the last snapshot reads and holds, and how many snapshots there are.
"""

import json
import sys
from datetime import timedelta
from importlib import import_module

from core.storage import read
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.materialize import materialize
from polster_runtime.storage import compaction
from polster_runtime.storage.registry import store

bronze_n = import_module("core.bronze_n")
compaction.TOGETHER = 4
first, runs, each, *grace = map(int, sys.argv[1:])
if grace:
    compaction.GRACE = timedelta(seconds=grace[0])
for run in range(1, runs + 1):
    bronze_n.LAST.write_text(str(first + run * each))
    materialize(bronze_n.extract)
    found = read("bronze_n").collect()["id"].to_list()
    assert found == list(range(1, first + run * each + 1)), (run, len(found))
snapshots = store().snapshots(AssetId("bronze", "n"))
print(json.dumps([len(snapshots[-1].paths), len(snapshots[-1].held), len(snapshots)]))
