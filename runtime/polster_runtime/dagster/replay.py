"""Replays of the quarantine, recorded in Dagster's history."""

import os

import dagster as dg

from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster.runner import terminal_instance
from polster_runtime.dagster.steps import checked, metadata
from polster_runtime.execution.result import Materialized


def record(done: Materialized) -> None:
    """Report a replay as a materialization without a run, and its check."""
    os.environ["DAGSTER_HOME"] = str(dagster_home())
    key, check = dg.AssetKey(done.asset.key), checked(done)
    with terminal_instance() as instance:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(key, description="replayed", metadata=metadata(done))
        )
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=str(check.check_name),
                passed=check.passed,
                severity=check.severity,
                metadata=check.metadata,
            )
        )
