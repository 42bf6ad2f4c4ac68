"""Print the position that a reader of an asset gets: position.py ASSET."""

import json
import sys

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.registry import store

data = store()
latest = data.latest(AssetId.parse(sys.argv[1]))
print(json.dumps(latest and data.provenance(latest).get("position")))
