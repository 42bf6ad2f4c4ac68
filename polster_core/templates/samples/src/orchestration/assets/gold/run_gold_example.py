"""The Dagster asset of src/core/gold_example.py."""

import dagster as dg

from core.gold_example import aggregate
from orchestration.utils import ON_UPSTREAM_SUCCESS, Results, contract_check, materialize


@dg.asset(
    group_name="gold",
    kinds={"gold", "polars"},
    deps=["run_silver_example"],
    automation_condition=ON_UPSTREAM_SUCCESS,
    check_specs=[contract_check("run_gold_example")],
)
def run_gold_example(context: dg.AssetExecutionContext) -> Results:
    """Which customers bring in the money, and is it growing?"""
    yield from materialize(context, aggregate)
