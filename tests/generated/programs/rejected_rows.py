"""Print the rows that the last run of silver_example rejected, as JSON."""

import json

from core.storage import store
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution import quarantine

batch = quarantine.latest(AssetId("silver", "example"), store())
print(json.dumps(batch.rows.collect().to_dicts(), default=str))
