"""Print what an instance with one of the project's configurations says of its runs, as JSON."""

import json
import os
import sys

import dagster as dg

from core.paths import DAGSTER_HOME

os.environ["DAGSTER_HOME"] = str(DAGSTER_HOME)
with dg.DagsterInstance.from_config(str(DAGSTER_HOME), sys.argv[1]) as instance:
    found = {}
    for run in instance.get_runs():
        logs = instance.all_logs(run.run_id)
        found[run.run_id] = [run.status.value, [log.message for log in logs]]
    keys = sorted(instance.all_asset_keys())
    events = [instance.get_latest_materialization_event(key) for key in keys]
    latest = [event and event.timestamp for event in events]
    records = [len(instance.fetch_materializations(key, limit=99).records) for key in keys]
    checks = [
        instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(key, name), limit=9
        )
        for key in keys
        for name in ("contract", "drift")
    ]
    states = [[record.status.value for record in history] for history in checks]
    kind = type(instance.event_log_storage).__name__
print(json.dumps([kind, found, latest, records, states]))
