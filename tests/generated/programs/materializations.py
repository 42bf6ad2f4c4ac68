"""Print the metadata of each asset's materializations, newest first, as JSON."""

import json
import os

import dagster as dg

from core.paths import DAGSTER_HOME

os.environ["DAGSTER_HOME"] = str(DAGSTER_HOME)
found: dict[str, list[dict[str, object]]] = {}
with dg.DagsterInstance.get() as instance:
    for key in instance.all_asset_keys():
        records = instance.fetch_materializations(key, limit=100).records
        found[key.to_user_string()] = [
            {
                name: value.value
                for name, value in event.metadata.items()
                if isinstance(value.value, int | str)
            }
            for event in (record.asset_materialization for record in records)
            if event is not None
        ]
print(json.dumps(found))
