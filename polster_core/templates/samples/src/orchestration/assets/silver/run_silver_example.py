"""The Dagster asset of src/core/silver_example.py."""

import dagster as dg

from core.silver_example import transform
from orchestration.utils import ON_UPSTREAM_SUCCESS, Results, contract_check, materialize


@dg.asset(
    group_name="silver",
    kinds={"silver", "polars"},
    deps=["run_bronze_example", "run_bronze_customers"],
    automation_condition=ON_UPSTREAM_SUCCESS,
    check_specs=[contract_check("run_silver_example")],
)
def run_silver_example(context: dg.AssetExecutionContext) -> Results:
    """Valid orders, one row each, with the customer who placed them."""
    yield from materialize(context, transform)
