"""The Dagster asset of src/core/bronze_customers.py."""

import dagster as dg

from core.bronze_customers import extract
from orchestration.utils import Results, drift_check, materialize, source_retry


@dg.asset(
    group_name="bronze",
    kinds={"bronze", "polars"},
    retry_policy=source_retry(),
    check_specs=[drift_check("run_bronze_customers")],
)
def run_bronze_customers(context: dg.AssetExecutionContext) -> Results:
    """The shop's customers, one row for each change."""
    yield from materialize(context, extract)
