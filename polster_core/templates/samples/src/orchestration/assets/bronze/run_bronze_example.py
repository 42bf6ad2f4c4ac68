"""The Dagster asset of src/core/bronze_example.py."""

import dagster as dg

from core.bronze_example import extract
from orchestration.utils import Results, drift_check, materialize, source_retry


@dg.asset(
    group_name="bronze",
    kinds={"bronze", "polars"},
    retry_policy=source_retry(),
    check_specs=[drift_check("run_bronze_example")],
)
def run_bronze_example(context: dg.AssetExecutionContext) -> Results:
    """Orders as the shop's till exports them, flaws and all."""
    yield from materialize(context, extract)
