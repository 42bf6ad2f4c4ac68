"""A step of an asset with partitions: those of the run in turn, each recorded when it is done.

A partition that fails is noted, and the others go on; the step fails at its end. What it has done
stays recorded, and when it is tried again only what failed is computed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from polster_runtime.assets.binding import Function, asset_of
from polster_runtime.assets.contract import contract_of
from polster_runtime.assets.drift import Drift
from polster_runtime.config.interruption import stop_if_interrupted
from polster_runtime.dagster import private
from polster_runtime.dagster.asset_keys import asset_of_key, name_of_key
from polster_runtime.dagster.failures import explanation, interruption_told
from polster_runtime.dagster.results import (
    broken_contract,
    contract_result,
    drift_result,
    metadata,
)
from polster_runtime.dagster.retry import try_again
from polster_runtime.errors import ContractBroken, PipelineError, SourceError
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
        keep_layout(store(), step.asset.at("any"), full_refresh=step.of.full_refresh)
    except PipelineError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    for key in step.pending():
        try:
            with interruption_told():
                done = step.run(key)
        except (dg.Failure, dg.RetryRequested):
            raise
        except (Exception, SystemExit) as error:
            step.note(key, error)
        else:
            yield done
    if step.failed:
        yield from step.broken_contracts()
        step.fail()
    yield dg.MaterializeResult(metadata=private.recorded_already(), check_results=[step.check()])


@dataclass(kw_only=True)
class Outcome:
    """What became of a partition."""

    rejected: int = 0
    broken_rules: dict[str, int] = field(default_factory=dict)
    drift: dict[str, Any] = field(default_factory=dict)
    """The fields of a Drift, of bronze."""
    columns: dict[str, str] = field(default_factory=dict)
    """Their types, of bronze."""
    error: str = ""
    """Why it failed; "" where it was published."""
    retryable: bool = False
    broken: bool = False
    """Whether it broke its contract."""

    @classmethod
    def of(cls, done: Materialized) -> "Outcome":
        """That of a partition which was published."""
        found = cls(rejected=done.rejected, broken_rules=done.broken_in_words)
        if done.asset.layer == "bronze":
            found.drift, found.columns = vars(done.drift), done.schema
        return found

    @classmethod
    def of_error(cls, error: BaseException, function: Function) -> "Outcome":
        """That of a partition which failed."""
        told = explanation(error, function)
        found = cls(error=told.text, retryable=told.retryable and isinstance(error, Exception))
        if isinstance(error, ContractBroken):
            found.rejected, found.broken_rules = error.rejected, error.broken_rules
            found.broken = True
        return found


Outcomes = Mapping[str, Mapping[str, Any]]
"""The fields of an Outcome for each of some partitions."""
known_outcomes: ContextVar[Outcomes | None] = ContextVar("known_outcomes", default=None)
"""The outcomes of the partitions of this step that other workers have computed and recorded."""


class Partitioned:
    """An asset with partitions, as a run computes it."""

    def __init__(
        self, function: Function, graph: Any, key: dg.AssetKey, run: dg.DagsterRun
    ) -> None:
        self.function, self.key, self.run_id = function, key, run.run_id
        self.asset = asset_of(function)
        self.full_refresh = run.tags.get(FULL_REFRESH) == "true"
        keys = [one.asset_key for one in graph.get(key).assets_def.get_asset_spec(key).deps]
        self.upstream = [
            (asset, graph.get(one).partitions_def is not None)
            for one in keys
            if (asset := asset_of_key(one))
        ]
        """What it depends on, and whether that has the same partitions."""
        self.names = {name_of_key(one): one for one in keys}

    def compute(self, partition: str) -> Materialized:
        """Compute and publish a partition."""
        stop_if_interrupted()
        return materialize(
            self.function,
            [one.at(partition) if is_parted else one for one, is_parted in self.upstream],
            self.run_id,
            full_refresh=self.full_refresh,
            partition=partition,
        )

    def recorded(self, done: Materialized, partition: str) -> dg.AssetMaterialization:
        """What Dagster records of a partition."""
        found = metadata(done, self.names)
        return dg.AssetMaterialization(self.key, partition=partition, metadata=found)


class _Step:
    """What became of the partitions of a step."""

    def __init__(self, context: dg.AssetExecutionContext, function: Function) -> None:
        graph = context.job_def.asset_layer.asset_graph
        self.context, self.function = context, function
        self.of = Partitioned(function, graph, context.asset_key, context.run)
        self.asset = self.of.asset
        self.keys = list(context.partition_keys)
        self.failed = dict[str, tuple[BaseException | None, Outcome]]()
        self.done = dict[str, Outcome]()

    def pending(self) -> list[str]:
        """The partitions to compute: at another try those that this run has not published."""
        known = known_outcomes.get() or {}
        for key, told in known.items():
            self._count(key, Outcome(**told))
        left = [key for key in self.keys if key not in known]
        if not self.context.retry_number:
            return left
        data, run_id = store(), self.context.run.run_id
        found = {key: data.latest(self.asset.at(key)) for key in left}
        return [
            key
            for key, snapshot in found.items()
            if snapshot is None or data.provenance(snapshot).get("run") != run_id
        ]

    def run(self, key: str) -> dg.AssetMaterialization:
        """Compute and publish a partition."""
        done = self.of.compute(key)
        self._count(key, Outcome.of(done))
        return self.of.recorded(done, key)

    def note(self, key: str, error: BaseException) -> None:
        """Remember why a partition failed."""
        self._count(key, Outcome.of_error(error, self.function), error)

    def _count(self, key: str, found: Outcome, error: BaseException | None = None) -> None:
        if found.error:
            self.failed[key] = (error, found)
        else:
            self.done[key] = found

    def check(self) -> dg.AssetCheckResult:
        """The result of the check of all of them."""
        if self.asset.layer == "bronze":
            none, found = Drift(added={}, removed={}, retyped={}, usual_rows=None), self._drifts()
            return drift_result([none, *found.values()][-1], _some(found))
        rejected, rules = _sums(self.done.values())
        return contract_result(contract_of(self.function), rejected, rules)

    def _drifts(self) -> dict[str, Drift]:
        """What differs in each partition, also from the one before it."""
        found, before = dict[str, Drift](), None
        for key in filter(self.done.__contains__, self.keys):
            one = self.done[key]
            before = columns_before(store(), self.asset.at(key)) if before is None else before
            if told := Drift(**one.drift).beside(before, one.columns):
                found[key] = told
            before = one.columns
        return found

    def broken_contracts(self) -> Iterator[dg.AssetCheckResult]:
        """The result of the check where a partition broke the contract, so that all was refused."""
        broken = [found for _, found in self.failed.values() if found.broken]
        if broken:
            yield broken_contract(*_sums(broken))

    def fail(self) -> None:
        """Raise RetryRequested where another try may help, else Failure with what went wrong."""
        text = self._told()
        for error, found in self.failed.values():
            if found.retryable:
                cause = error if isinstance(error, Exception) else SourceError(found.error)
                try_again(self.context, self.asset, cause, text)
        raise dg.Failure(text, allow_retries=False) from next(iter(self.failed.values()))[0]

    def _told(self) -> str:
        named = [f"{key}: {found.error}" for key, (_, found) in self.failed.items()][:NAMED]
        if len(self.keys) == 1:
            return named[0]
        more = f"; and {len(self.failed) - NAMED} more" if len(self.failed) > NAMED else ""
        others = ", the others are done" if len(self.failed) < len(self.keys) else ""
        head = f"{len(self.failed)} of {len(self.keys)} partitions failed{others}"
        return f"{head}: {'; '.join(named)}{more}"


def _sums(found: Iterable[Outcome]) -> tuple[int, dict[str, int]]:
    """How many rows some partitions have rejected, and by which rules."""
    rules, rejected = Counter[str](), 0
    for one in found:
        rules.update(one.broken_rules)
        rejected += one.rejected
    return rejected, dict(rules)


def _some(keys: Collection[str]) -> str:
    """Some partitions in words."""
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return ", ".join(list(keys)[:NAMED]) + more
