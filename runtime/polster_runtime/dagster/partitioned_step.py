"""A step of an asset with partitions: those of the run in turn, each recorded when it is done.

A partition that fails is noted, and the others go on; the step fails at its end. What it has done
stays recorded, and when it is tried again only what failed is computed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import dagster as dg

from polster_runtime.assets.binding import Function, asset_of
from polster_runtime.assets.contract import contract_of
from polster_runtime.assets.drift import Drift
from polster_runtime.config.interruption import stop_if_interrupted
from polster_runtime.dagster import private
from polster_runtime.dagster.asset_keys import asset_of_key, name_of_key
from polster_runtime.dagster.failures import Explanation, explanation, interruption_told
from polster_runtime.dagster.results import (
    broken_contract,
    contract_result,
    drift_result,
    metadata,
)
from polster_runtime.dagster.retry import try_again
from polster_runtime.errors import ContractBroken, PipelineError
from polster_runtime.execution.layout import keep_layout
from polster_runtime.execution.materialize import materialize
from polster_runtime.execution.previous import columns_before
from polster_runtime.execution.result import Materialized
from polster_runtime.storage.registry import store

FULL_REFRESH = "full_refresh"
"""The tag of a run in which incremental sources read everything again: full_refresh=true."""
NAMED = 3
"""Partitions that failed of which is said why."""
Events = Iterator[dg.AssetCheckResult | dg.AssetMaterialization | dg.MaterializeResult[None]]


def deps(context: dg.AssetExecutionContext) -> Iterable[dg.AssetDep]:
    """What the asset of a step depends on."""
    found: Iterable[dg.AssetDep] = context.assets_def.get_asset_spec().deps
    return found


def materialize_partitions(context: dg.AssetExecutionContext, function: Function) -> Events:
    """Run an asset's function for each partition of the run; yield what Dagster records."""
    step = _Step(context, function)
    try:
        keep_layout(store(), step.asset.at("any"), full_refresh=step.full_refresh)
    except PipelineError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    for key in step.pending():
        try:
            with interruption_told():
                done = step.run(key)
        except (dg.Failure, dg.RetryRequested):
            raise
        except (Exception, SystemExit) as error:
            step.failed[key] = (error, explanation(error, function))
        else:
            yield done
    if step.failed:
        yield from step.broken_contracts()
        step.fail()
    yield dg.MaterializeResult(metadata=private.recorded_already(), check_results=[step.check()])


@dataclass
class _Step:
    """What became of the partitions of a step."""

    context: dg.AssetExecutionContext
    function: Function
    failed: dict[str, tuple[BaseException, Explanation]] = field(default_factory=dict)
    rejected: int = 0
    broken_rules: Counter[str] = field(default_factory=Counter)
    drifts: dict[str, Drift] = field(default_factory=dict)
    columns: dict[str, str] | None = None
    """Those of the partition that was computed last."""

    def __post_init__(self) -> None:
        self.asset = asset_of(self.function)
        self.full_refresh = self.context.run.tags.get(FULL_REFRESH) == "true"
        self.keys = list(self.context.partition_keys)
        graph = self.context.job_def.asset_layer.asset_graph
        self.upstream = [
            (asset, graph.get(key).partitions_def is not None)
            for key in (one.asset_key for one in deps(self.context))
            if (asset := asset_of_key(key))
        ]
        """What it depends on, and whether that has the same partitions."""
        self.names = {name_of_key(one.asset_key): one.asset_key for one in deps(self.context)}

    def pending(self) -> list[str]:
        """The partitions to compute: at another try those that this run has not published."""
        if not self.context.retry_number:
            return self.keys
        data, run_id = store(), self.context.run.run_id
        found = {key: data.latest(self.asset.at(key)) for key in self.keys}
        return [
            key
            for key, snapshot in found.items()
            if snapshot is None or data.provenance(snapshot).get("run") != run_id
        ]

    def run(self, key: str) -> dg.AssetMaterialization:
        """Compute and publish a partition."""
        stop_if_interrupted()
        upstream = [one.at(key) if is_parted else one for one, is_parted in self.upstream]
        done = materialize(
            self.function,
            upstream,
            self.context.run.run_id,
            full_refresh=self.full_refresh,
            partition=key,
        )
        self._count(done)
        found = metadata(done, self.names)
        return dg.AssetMaterialization(self.context.asset_key, partition=key, metadata=found)

    def _count(self, done: Materialized) -> None:
        self.rejected += done.rejected
        self.broken_rules.update(done.broken_in_words)
        if self.asset.layer != "bronze":
            return
        before = columns_before(store(), done.asset) if self.columns is None else self.columns
        self.columns = done.schema
        if found := done.drift.beside(before, done.schema):
            self.drifts[done.asset.partition] = found

    def check(self) -> dg.AssetCheckResult:
        """The result of the check of all of them."""
        if self.asset.layer == "bronze":
            none = Drift(added={}, removed={}, retyped={}, usual_rows=None)
            return drift_result([none, *self.drifts.values()][-1], _some(self.drifts))
        contract = contract_of(self.function)
        return contract_result(contract, self.rejected, dict(self.broken_rules))

    def broken_contracts(self) -> Iterator[dg.AssetCheckResult]:
        """The result of the check where a partition broke the contract, so that all was refused."""
        broken = [error for error, _ in self.failed.values() if isinstance(error, ContractBroken)]
        if broken:
            rules = Counter[str]()
            for error in broken:
                rules.update(error.broken_rules)
            yield broken_contract(sum(error.rejected for error in broken), dict(rules))

    def fail(self) -> None:
        """Raise RetryRequested where another try may help, else Failure with what went wrong."""
        text = self._told()
        for error, told in self.failed.values():
            if told.retryable and isinstance(error, Exception):
                try_again(self.context, self.asset, error, text)
        raise dg.Failure(text, allow_retries=False) from next(iter(self.failed.values()))[0]

    def _told(self) -> str:
        named = [f"{key}: {told.text}" for key, (_, told) in self.failed.items()][:NAMED]
        if len(self.keys) == 1:
            return named[0]
        more = f"; and {len(self.failed) - NAMED} more" if len(self.failed) > NAMED else ""
        others = ", the others are done" if len(self.failed) < len(self.keys) else ""
        head = f"{len(self.failed)} of {len(self.keys)} partitions failed{others}"
        return f"{head}: {'; '.join(named)}{more}"


def _some(keys: Collection[str]) -> str:
    """Some partitions in words."""
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return ", ".join(list(keys)[:NAMED]) + more
