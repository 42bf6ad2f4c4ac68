"""Delete the newest snapshot of an asset where its store is, or cut it to half.

Neither Dagster nor the runtime hears of that.

    python change_snapshot.py delete|cut silver_orders
"""

import sys
from typing import Any

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.registry import store

what, name = sys.argv[1:]
data = store()
found = data.latest(AssetId.parse(name))
if found is None:
    sys.exit(f"{name} has no data")
files: Any = data.fs
for path in found.paths:
    if what == "cut":
        content = files.cat_file(path)
        files.pipe_file(path, content[: len(content) // 2])
    else:
        files.rm_file(path)
