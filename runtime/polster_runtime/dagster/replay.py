"""Replays of the quarantine, recorded in Dagster's history."""

import dagster as dg

from polster_runtime.dagster.asset_keys import key_of
from polster_runtime.dagster.instance import opened
from polster_runtime.dagster.results import checked, metadata
from polster_runtime.execution.result import Materialized


def record(done: Materialized) -> None:
    """Report a replay as a materialization without a run, and its check."""
    key, check, part = key_of(done.asset), checked(done), done.asset.partition or None
    with opened(running=True) as instance:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                key, description="replayed", metadata=metadata(done), partition=part
            )
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
