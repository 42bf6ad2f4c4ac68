"""An asset and a check as Dagster alone has them: they use nothing that Polster wrote."""

import dagster as dg


@dg.asset(group_name="gold", deps=["run_silver_example"])
def run_gold_own() -> None:
    """Send a mail, say."""


@dg.asset_check(asset="run_silver_example", blocking=True)
def own_check() -> dg.AssetCheckResult:
    """Pass."""
    return dg.AssetCheckResult(passed=True)
