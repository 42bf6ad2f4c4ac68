"""Print the last result of the check `contract` of an asset key."""

import os
import sys

import dagster as dg

from core.paths import DAGSTER_HOME

os.environ["DAGSTER_HOME"] = str(DAGSTER_HOME)
key = dg.AssetCheckKey(dg.AssetKey(sys.argv[1]), "contract")
with dg.DagsterInstance.get() as instance:
    (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event
    assert record.event.dagster_event
    found = record.event.dagster_event.asset_check_evaluation_data
    print(found.passed, found.severity.value, found.blocking, found.description)
