"""Print for each of some ticks how many runs of silver_example the sensor asks for, as JSON.

The argument lists the ticks: for each, the keys that were materialized before it. The daemon
makes one run of all requests with the same key.
"""

import json
import sys

import dagster as dg

from orchestration.definitions import defs

repository, cursor = defs().get_repository_def(), None
keys, counts = set[str | None](), list[int]()
sensor, silver = repository.get_sensor_def("medallion"), dg.AssetKey("run_silver_example")
with dg.DagsterInstance.ephemeral() as instance:
    for tick in json.loads(sys.argv[1]):
        for key in tick:
            instance.report_runless_asset_event(dg.AssetMaterialization(key))
        with dg.build_sensor_context(instance, cursor, repository_def=repository) as context:
            looked = sensor.evaluate_tick(context)
        cursor = looked.cursor
        requests = looked.run_requests or ()
        asked = {one.run_key for one in requests if silver in (one.asset_selection or ())}
        counts.append(len(asked - keys))
        keys |= asked
print(json.dumps(counts))
