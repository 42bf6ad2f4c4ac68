"""Print the path and the row count of each snapshot of an asset, as JSON."""

import json
import sys

from core.storage import store
from polster_runtime.domain.asset_id import AssetId

data = store()
found = data.snapshots(AssetId.parse(sys.argv[1]))
print(json.dumps([[one.path, data.scan(one).collect().height] for one in found]))
