"""Print how many files a reader of bronze_a gets, and the position of the last, as JSON."""

import json

from core.storage import store
from polster_runtime.domain.asset_id import AssetId

data = store()
latest = data.latest(AssetId("bronze", "a"))
assert latest
print(json.dumps([len(latest.paths), data.provenance(latest).get("position")]))
