"""Print what Dagster knows of the last materialization of silver_example, and of its contract."""

import os

import dagster as dg

from core.paths import DAGSTER_HOME

os.environ["DAGSTER_HOME"] = str(DAGSTER_HOME)
key = dg.AssetKey("run_silver_example")
with dg.DagsterInstance.get() as instance:
    (record,) = instance.get_asset_records([key])
    materialization = record.asset_entry.last_materialization
    assert materialization
    event = materialization.asset_materialization
    assert event
    (check,) = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key, "contract"), limit=1
    )
    print(event.description, event.metadata["dagster/row_count"].value, check.status.value)
