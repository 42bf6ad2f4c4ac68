"""Print the columns that Dagster says gold_example.customers depends on."""

import os

import dagster as dg

from core.paths import DAGSTER_HOME

os.environ["DAGSTER_HOME"] = str(DAGSTER_HOME)
with dg.DagsterInstance.get() as instance:
    event = instance.get_latest_materialization_event(dg.AssetKey("run_gold_example"))
    assert event
    assert event.asset_materialization
    found = event.asset_materialization.metadata["dagster/column_lineage"].value
    assert isinstance(found, dg.TableColumnLineage)
    for one in found.deps_by_column["customers"]:
        print(f"{one.asset_key.to_user_string()}.{one.column_name}")
