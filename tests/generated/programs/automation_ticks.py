"""Print for each of some ticks how often the sensor asks for silver_example, as JSON.

The argument lists the ticks: for each, the keys that were materialized before it.
"""

import json
import sys

import dagster as dg

from orchestration.definitions import defs

loaded, cursor, counts = defs(), None, []
with dg.DagsterInstance.ephemeral() as instance:
    for tick in json.loads(sys.argv[1]):
        for key in tick:
            instance.report_runless_asset_event(dg.AssetMaterialization(key))
        looked = dg.evaluate_automation_conditions(loaded, instance, cursor=cursor)
        cursor = looked.cursor
        counts.append(looked.get_num_requested(dg.AssetKey("run_silver_example")))
print(json.dumps(counts))
