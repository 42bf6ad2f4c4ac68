"""A core function as a Dagster step."""

from collections.abc import Iterator

import dagster as dg

from polster_runtime.assets.binding import Function, asset_of
from polster_runtime.config.interruption import stop_if_interrupted
from polster_runtime.dagster.asset_keys import asset_of_key, name_of_key
from polster_runtime.dagster.failures import explanation, interruption_told
from polster_runtime.dagster.partitioned_step import FULL_REFRESH, deps, materialize_partitions
from polster_runtime.dagster.results import broken_contract, checked, metadata
from polster_runtime.dagster.retry import try_again
from polster_runtime.errors import ContractBroken
from polster_runtime.execution.materialize import materialize as materialize_asset
from polster_runtime.execution.result import Materialized

Results = Iterator[dg.AssetCheckResult | dg.AssetMaterialization | dg.MaterializeResult[None]]


def contract_check(asset: str) -> dg.AssetCheckSpec:
    """The contract of a silver or gold asset: nothing downstream runs when it fails."""
    return dg.AssetCheckSpec("contract", asset=asset, blocking=True)


def drift_check(asset: str) -> dg.AssetCheckSpec:
    """Whether a source has the columns and about the rows it had: a warning, it blocks nothing."""
    return dg.AssetCheckSpec("drift", asset=asset)


def materialize(context: dg.AssetExecutionContext, function: Function) -> Results:
    """Run an asset's function; yield its materialization and its check.

    Of an asset with partitions those of the run, one after the other.
    """
    if context.assets_def.partitions_def is not None:
        yield from materialize_partitions(context, function)
        return
    try:
        with interruption_told():
            done = _materialize(context, function)
    except (dg.Failure, dg.RetryRequested):
        raise
    except ContractBroken as error:
        yield broken_contract(error.rejected, error.broken_rules)
        raise dg.Failure(str(error), allow_retries=False) from error
    except (Exception, SystemExit) as error:
        told = explanation(error, function)
        if told.retryable and isinstance(error, Exception):
            try_again(context, asset_of(function), error, told.text)
        if not told.expected:
            raise
        raise dg.Failure(told.text, allow_retries=False) from error
    keys = {name_of_key(one.asset_key): one.asset_key for one in deps(context)}
    yield dg.MaterializeResult(metadata=metadata(done, keys), check_results=[checked(done)])


def _materialize(context: dg.AssetExecutionContext, function: Function) -> Materialized:
    stop_if_interrupted()
    run_id, full = context.run.run_id, context.run.tags.get(FULL_REFRESH) == "true"
    upstream = [asset for one in deps(context) if (asset := asset_of_key(one.asset_key))]
    return materialize_asset(function, upstream, run_id, full_refresh=full)
