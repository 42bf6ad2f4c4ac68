"""The life of one asset: read, compute, check, publish."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from polster_runtime.assets.binding import (
    Function,
    asset_of,
    bind,
    code_version,
    declared_upstream,
    is_incremental,
    source_file,
)
from polster_runtime.assets.contract import Checked, Contract, check, contract_of, part
from polster_runtime.assets.drift import drift
from polster_runtime.assets.increments import UPSERT, plan_of
from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.execution import previous
from polster_runtime.execution.code_errors import errors_named
from polster_runtime.execution.column_lineage import Lineage, lineage_if_known
from polster_runtime.execution.description import look_at, schema_of, summary
from polster_runtime.execution.events import tell
from polster_runtime.execution.invocation import Invocation
from polster_runtime.execution.kept_rows import OWN, starts_over
from polster_runtime.execution.layout import keep_layout
from polster_runtime.execution.locks import alone
from polster_runtime.execution.overtaking import publish_on
from polster_runtime.execution.rejected_rows import Quarantine
from polster_runtime.execution.removals import with_removals, without_removals
from polster_runtime.execution.result import Materialized
from polster_runtime.execution.slices import Slice
from polster_runtime.execution.upkeep import keep_files_few, merge_increments
from polster_runtime.storage.registry import store
from polster_runtime.storage.snapshots import Provenance, Snapshot
from polster_runtime.storage.staging import scan, scratch_files, stage
from polster_runtime.storage.store import Store

_Split = tuple[Path, Checked | None, pl.DataFrame | None]
"""The staged rows, what a contract rejected, and the keys of the rows that an increment removes."""


def materialize(
    function: Function,
    upstream: Sequence[AssetId] | None = None,
    run_id: str = "",
    *,
    full_refresh: bool = False,
    again: Slice | None = None,
    partition: str = "",
) -> Materialized:
    """Run one asset, or a partition of it, and publish its rows as a new snapshot.

    `upstream` are its dependencies; by default those that its Dagster file declares. A full refresh
    lets an incremental one read everything again, and `again` what one of its runs has read, for
    what it rejected. Raises ContractBroken, NoData when an upstream asset has never run, and
    StorageError, NotImplementedError for a stub, and whatever the function raises.
    """
    asset = asset_of(function).at(partition)
    bound = bind(function, declared_upstream(asset) if upstream is None else upstream)
    return _run(function, asset, bound, run_id, dict, full_refresh, again)


def rerun(
    function: Function, inputs: Callable[[], Mapping[AssetId, Snapshot]], partition: str = ""
) -> Materialized:
    """Run one asset on given snapshots of its dependencies, and publish its rows.

    `inputs` is asked for them when no other run of the asset can come in between.
    """
    asset = asset_of(function).at(partition)
    bound = bind(function, declared_upstream(asset))
    return _run(function, asset, bound, "", inputs)


def _run(
    function: Function,
    asset: AssetId,
    bound: dict[str, AssetId],
    run_id: str,
    inputs: Callable[[], Mapping[AssetId, Snapshot]],
    full_refresh: bool = False,
    again: Slice | None = None,
) -> Materialized:
    started = time.perf_counter()
    tell(lambda listener: listener.started(asset))
    try:
        with alone(asset):
            if plan_of(function).incremental:
                # Before the rows of this run: who is up to date has read all that is merged.
                merge_increments(asset)
            step = _Step(function, asset, bound, run_id, inputs(), started, full_refresh, again)
            done = step.run()
            keep_files_few(done, incremental=step.source.incremental)
    except BaseException:
        seconds = round(time.perf_counter() - started, 4)
        log.info("failed", extra={"details": {"asset": str(asset), "seconds": seconds}})
        tell(lambda listener: listener.failed(asset, seconds))
        raise
    log.info("materialized", extra={"details": summary(done)})
    tell(lambda listener: listener.finished(done))
    return done


class _Step:
    """One run of one asset."""

    def __init__(
        self,
        function: Function,
        asset: AssetId,
        bound: dict[str, AssetId],
        run_id: str,
        inputs: Mapping[AssetId, Snapshot],
        started: float,
        full_refresh: bool,
        again: Slice | None,
    ) -> None:
        self.function, self.asset, self.run_id, self.started = function, asset, run_id, started
        self.contract = contract_of(function)
        self.data: Store = store()
        self.plan = plan = plan_of(function)
        if not asset.partition:  # else whoever runs several has looked once
            keep_layout(self.data, asset, full_refresh=full_refresh)
        grows = is_incremental(function) or plan.incremental or plan.own is not None
        self.before = self.previous = self.data.latest(asset) if grows else self.data.before(asset)
        if self.previous and self.previous.partitioned:
            self.previous = None
        computable = is_incremental(function) or plan.repeatable
        self.columns_before = self._columns_before(grows and not (full_refresh and computable))
        self.known = previous.footer(self.data, asset, self.previous)
        if starts_over(asset, function, self.known, full_refresh=full_refresh):
            self.previous = None
        self.source = Invocation(
            function, self.data, bound, self.previous, inputs, asset.partition, full_refresh, again
        )
        self.replaces = plan.key if self.source.increases and plan.kind == UPSERT else None
        """The key by which the rows replace others; None where they do not."""
        self.recent_rows = previous.recent_rows(self.data, asset, self.previous)
        self.lineage: Lineage | None = None
        self.rejected = 0

    def run(self) -> Materialized:
        increases, before = self.source.increases, self.known.get("lineage")
        with errors_named(self.source):
            rows_to_come = self.source.rows()
            if self.asset.layer != "bronze":
                bound, schemas, key = self.source.read_of, self.source.schemas, self.asset.partition
                self.lineage = lineage_if_known(self.function, bound, schemas, before, key)
        self.increases = None if self.source.replaced else increases
        path = self.data.new_path(self.asset, on=self.increases)
        # What a contract may still split is not sent ahead.
        ahead = self.data.ahead(path) if self.contract is None else nullcontext(lambda _: None)
        with ahead as begun:
            return self._publish(path, rows_to_come, begun)

    def _publish(self, path: str, new: pl.LazyFrame, begun: Callable[[Path], None]) -> Materialized:
        with scratch_files() as evaluated:
            split = self._split_at_once(new, evaluated, path)
            staged, checked, gone = split or self._staged(new, evaluated, path, begun)
        (rows, preview), removed, reading = look_at(staged), 0, self.source.reading
        if self.replaces:
            groups = reading.groups if reading else None
            staged, removed = with_removals(
                staged, gone, groups, self.replaces, self.contract, self.provenance
            )
        schema, size = schema_of(preview), staged.stat().st_size
        path = publish_on(self.before, self.data, self.asset, staged, path)
        recent = [] if self.increases else self.recent_rows
        return Materialized(
            asset=self.asset,
            path=path,
            rows=rows,
            size=size,
            seconds=time.perf_counter() - self.started,
            schema=schema,
            preview=preview,
            drift=drift(
                self.columns_before, schema, recent, rows, self.source.position, self.source.doubts
            ),
            lineage=self.lineage,
            contract=self.contract,
            rejected=checked.rejected if checked else 0,
            broken_rules=checked.broken_rules if checked else {},
            removed=removed,
            read=reading.in_words if reading and self.previous else None,
        )

    def provenance(self) -> Provenance:
        """What the footer of a new file says; asked for after its last row."""
        found: Provenance = {
            "run": self.run_id,
            "code": code_version(source_file(self.function)),
            "inputs": self.source.inputs,
            "written": datetime.now(UTC).isoformat(),
        }
        if self.asset.layer == "bronze":
            found["recent_rows"] = self.recent_rows
        known = {
            "lineage": self.lineage.as_json() if self.lineage else None,
            OWN: bool(self.plan.own) or None,
            "rejected": self.rejected or None,
            "position": self.source.position,
        }
        found |= {name: value for name, value in known.items() if value is not None}
        if self.source.reading is not None:
            found |= self.source.reading.footer()
        return found

    def _columns_before(self, needed: bool) -> dict[str, str] | None:
        """The columns of the snapshot before this one; when it is needed, errors are raised."""
        if self.previous is None:
            return None
        try:
            return schema_of(self.data.scan(self.previous))
        except StorageError as error:
            if needed:
                raise  # new rows cannot go on top of it
            log.warning(str(error), extra={"details": {"asset": str(self.asset)}})
            self.previous = None  # the new snapshot takes its place
            return None

    def _split_at_once(self, rows: pl.LazyFrame, evaluated: Path, path: str) -> _Split | None:
        """Compute the rows and stage what keeps the contract, in one pass.

        None where that cannot be, or went wrong: what it was is told once rows and rules are
        computed one after the other.
        """
        if self.contract is None or self.source.reading or self.source.streams:
            return None
        with errors_named(self.source):
            parts = part(rows, self.contract, evaluated)
        if parts is None:
            return None
        try:
            staged = stage(parts.good, self.provenance, beside=[parts.bad])
        except StorageError:
            raise
        except Exception:
            log.info("split again", extra={"details": {"asset": str(self.asset)}}, exc_info=True)
            return None
        try:
            checked = parts.checked()
            rows_in_all = look_at(staged)[0] + checked.rejected
            self._quarantine(path, self.contract).keep(checked, rows_in_all)
        except BaseException:
            staged.unlink()
            raise
        return staged, checked, None

    def _staged(
        self, rows_to_come: pl.LazyFrame, evaluated: Path, path: str, begun: Callable[[Path], None]
    ) -> _Split:
        """Stage all rows, then what keeps the contract, if there is one."""
        # What a contract rejected before will hardly be published as it is.
        draft = self.contract is not None and bool(self.known.get("rejected"))
        with errors_named(self.source):
            staged = stage(rows_to_come, self.provenance, draft=draft, begun=begun)
            self.source.check_complete(staged)
        gone = None
        if self.replaces:
            staged, gone = without_removals(
                staged, self.replaces, self.provenance, draft=self.contract is not None
            )
            draft = draft or gone is not None
        if self.contract is None:
            return staged, None, gone
        rows, good = look_at(staged)[0], None
        try:
            checked = check(scan(staged), rows, self.contract, evaluated)
            self._quarantine(path, self.contract).keep(checked, rows)
            self.rejected = checked.rejected
            if checked.good is None and not draft:
                good = staged
            else:
                all_rows = scan(staged) if checked.good is None else checked.good
                good = stage(all_rows, self.provenance)
            return good, checked, gone
        finally:
            if good != staged:
                staged.unlink(missing_ok=True)

    def _quarantine(self, path: str, contract: Contract) -> Quarantine:
        return Quarantine(
            data=self.data,
            asset=self.asset,
            function=self.function,
            contract=contract,
            path=path,
            reading=self.source.reading,
            run_id=self.run_id,
            provenance=self.provenance,
        )
