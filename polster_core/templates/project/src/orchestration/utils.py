"""What the asset files import: how an asset runs, what is checked, when it starts by itself."""

from polster_runtime.dagster.automation import ON_UPSTREAM_SUCCESS, source_retry
from polster_runtime.dagster.steps import Results, contract_check, drift_check, materialize

__all__ = [
    "ON_UPSTREAM_SUCCESS",
    "Results",
    "contract_check",
    "drift_check",
    "materialize",
    "source_retry",
]
