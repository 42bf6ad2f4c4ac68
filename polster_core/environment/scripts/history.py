"""Keep Dagster's history of assets in step with their names.

    python history.py PROJECT rename OLD_KEY NEW_KEY
    python history.py PROJECT remove KEY...

Runs in a project's environment with DAGSTER_HOME set. Prints a JSON document: how many events moved
and how many assets were forgotten. Only Dagster's public API is used: a run of today reports the
events of the past, so that their own time and run are in the metadata of each.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE = 500


PREFIX = "POLSTER_MODULES"
"""The variable that says what stands before the names of the project's modules: `lake.`."""


def main() -> None:
    """Do what the command line asks for."""
    project, action, *keys = sys.argv[1:]
    sys.path.insert(0, str(Path(project) / "src"))  # DAGSTER_HOME may name classes that are there
    logging.disable(logging.CRITICAL)
    dg: Any = import_module("dagster")
    with dg.DagsterInstance.get() as instance:
        known = {key.to_user_string() for key in instance.all_asset_keys()}
        events = rename(dg, instance, *keys) if action == "rename" and keys[0] in known else 0
        gone = [key for key in keys[: 1 if action == "rename" else None] if key in known]
        instance.wipe_assets([dg.AssetKey.from_user_string(key) for key in gone])
    sys.stdout.write(json.dumps({"events": events, "assets": len(gone)}) + "\n")


def rename(dg: Any, instance: Any, old: str, new: str) -> int:
    """Report the materializations and the last check results of one asset for another."""
    count = 0
    for record in materializations(dg, instance, old):
        event = record.asset_materialization
        past = {
            "renamed_from": old,
            "original_time": datetime.fromtimestamp(record.timestamp, UTC).isoformat(),
            "original_run": record.run_id,
        }
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=dg.AssetKey.from_user_string(new),
                description=event.description,
                partition=event.partition,
                tags=dict(event.tags or {}),
                metadata={**event.metadata, **past},
            )
        )
        count += 1
    for result in check_results(dg, instance, old, new):
        instance.report_runless_asset_event(result)
    return count


def materializations(dg: Any, instance: Any, key: str) -> Iterator[Any]:
    """Yield the records of an asset's materializations, the oldest first."""
    cursor = None
    while True:
        page = instance.fetch_materializations(
            dg.AssetKey.from_user_string(key), limit=PAGE, cursor=cursor, ascending=True
        )
        yield from page.records
        if not page.has_more:
            return
        cursor = page.cursor


def check_results(dg: Any, instance: Any, old: str, new: str) -> Iterator[Any]:
    """Yield the last result of each check that the renamed asset has, as a result of its own."""
    for name in check_names(new):
        key = dg.AssetCheckKey(dg.AssetKey.from_user_string(old), name)
        record = instance.get_latest_asset_check_evaluation_record(key)
        if record is None or record.event is None or record.event.dagster_event is None:
            continue
        past = record.event.dagster_event.event_specific_data
        if isinstance(past, dg.AssetCheckEvaluation):
            yield dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey.from_user_string(new),
                check_name=name,
                passed=past.passed,
                metadata=dict(past.metadata),
                severity=past.severity,
                description=past.description,
            )


def check_names(key: str) -> list[str]:
    """Return the names of an asset's checks; none where its file cannot be imported."""
    key = key.rpartition("/")[2]  # the file is named without the prefix of the project
    layer = key.split("_")[1]
    try:
        module = import_module(f"{os.environ.get(PREFIX, '')}orchestration.assets.{layer}.{key}")
        return sorted(check.name for check in getattr(module, key).check_keys)
    except Exception:  # noqa: BLE001 - the code is the user's
        return []


if __name__ == "__main__":
    main()
