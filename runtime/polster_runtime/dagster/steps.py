"""A core function as a Dagster step."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import dagster as dg
import polars as pl

from polster_runtime.assets.binding import Function, asset_of
from polster_runtime.assets.drift import Drift
from polster_runtime.assets.values import rows_as_python
from polster_runtime.config.interruption import Interrupted, interrupt, stop_if_interrupted
from polster_runtime.config.logging import log
from polster_runtime.dagster.asset_keys import name_of_key
from polster_runtime.dagster.retry import try_again
from polster_runtime.dagster.table_schema import column_lineage, table_schema
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import (
    AssetError,
    ContractBroken,
    NoData,
    SettingsError,
    SourceError,
    StorageError,
)
from polster_runtime.execution.code_errors import explained
from polster_runtime.execution.materialize import materialize as materialize_asset
from polster_runtime.execution.result import Materialized
from polster_runtime.storage.cloud import waits

Results = Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]

CELL_CHARACTERS = 60
FULL_REFRESH = "full_refresh"
"""The tag of a run in which incremental sources read everything again: full_refresh=true."""

EXPECTED = (AssetError, NoData, NotImplementedError, SettingsError)
"""Errors whose message says it all."""
LOGIC = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    SyntaxError,
    TypeError,
    UnicodeError,
    pl.exceptions.PolarsError,
)
"""Errors in the code or the data."""
FILES = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
"""What a source is not, or not for us."""
FINAL = (*LOGIC, *FILES)
"""Errors that another try would not fix."""


def contract_check(asset: str) -> dg.AssetCheckSpec:
    """The contract of a silver or gold asset: nothing downstream runs when it fails."""
    return dg.AssetCheckSpec("contract", asset=asset, blocking=True)


def drift_check(asset: str) -> dg.AssetCheckSpec:
    """Whether a source has the columns and about the rows it had: a warning, it blocks nothing."""
    return dg.AssetCheckSpec("drift", asset=asset)


def materialize(context: dg.AssetExecutionContext, function: Function) -> Results:
    """Run an asset's function; yield its materialization and its check."""
    try:
        done = _materialize(context, function)
    except (Interrupted, KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as error:
        interrupt()  # Dagster's own executors would try it again, and start others
        raise dg.Failure("interrupted", allow_retries=False) from error
    except ContractBroken as error:
        yield dg.AssetCheckResult(
            check_name="contract", passed=False, metadata=_rules(error.rejected, error.broken_rules)
        )
        raise dg.Failure(str(error), allow_retries=False) from error
    except SystemExit as error:
        why = explained(error, function)
        raise dg.Failure(f"{why}: an asset may not end the run", allow_retries=False) from error
    except EXPECTED as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    except (SourceError, StorageError) as error:
        if error.retryable:
            try_again(context, asset_of(function), error, str(error))
        raise dg.Failure(str(error), allow_retries=False) from error
    except FINAL as error:
        raise dg.Failure(explained(error, function), allow_retries=False) from error
    except Exception as error:
        try_again(context, asset_of(function), error, explained(error, function))
        raise
    keys = {name_of_key(one.asset_key): one.asset_key for one in _deps(context)}
    yield dg.MaterializeResult(metadata=metadata(done, keys), check_results=[checked(done)])


def _materialize(context: dg.AssetExecutionContext, function: Function) -> Materialized:
    stop_if_interrupted()
    run_id, full = context.run.run_id, context.run.tags.get(FULL_REFRESH) == "true"
    upstream = [AssetId.parse(one.asset_key.to_user_string()) for one in _deps(context)]
    return materialize_asset(function, upstream, run_id, full_refresh=full)


def _deps(context: dg.AssetExecutionContext) -> Iterable[dg.AssetDep]:
    deps: Iterable[dg.AssetDep] = context.assets_def.get_asset_spec().deps
    return deps


def metadata(
    done: Materialized, keys: Mapping[str, dg.AssetKey] | None = None
) -> dict[str, dg.MetadataValue]:
    """What the Dagster UI shows of a materialization. What cannot be shown is left out.

    `keys` are those of the upstream assets, by their names.
    """
    waiting = {"waits_for_the_cloud": dg.MetadataValue.bool(True)} if waits(done.path) else {}
    return {
        **waiting,
        **_increment(done),
        "dagster/row_count": dg.MetadataValue.int(done.rows),
        "path": dg.MetadataValue.path(done.path),
        "rejected": dg.MetadataValue.int(done.rejected),
        "seconds": dg.MetadataValue.float(round(done.seconds, 3)),
        "size_bytes": dg.MetadataValue.int(done.size),
        **_shown("dagster/column_lineage", lambda done: _lineage(done, keys or {}), done),
        **_shown("dagster/column_schema", _schema, done),
        **_shown("preview", _preview, done),
    }


def _increment(done: Materialized) -> dict[str, dg.MetadataValue]:
    """What an incremental asset has read, and how many rows it has removed."""
    if done.read is None:
        return {}
    read, removed = dg.MetadataValue.text(done.read), dg.MetadataValue.int(done.removed)
    return {"read": read, "removed": removed}


def _shown(
    name: str, show: Callable[[Materialized], dg.MetadataValue | None], done: Materialized
) -> dict[str, dg.MetadataValue]:
    """One entry of the metadata; a run has published its rows, and does not fail because of it."""
    try:
        value = show(done)
    except (Exception, pl.exceptions.PanicException) as error:
        details = {"asset": str(done.asset), "error": error}
        log.warning(f"no {name} in the Dagster UI", extra={"details": details})
        return {}
    return {} if value is None else {name: value}


def _lineage(done: Materialized, keys: Mapping[str, dg.AssetKey]) -> dg.MetadataValue | None:
    if done.lineage is None:
        return None
    return dg.MetadataValue.column_lineage(column_lineage(done.lineage, keys))


def _schema(done: Materialized) -> dg.MetadataValue:
    return dg.MetadataValue.table_schema(table_schema(done))


def _preview(done: Materialized) -> dg.MetadataValue:
    return dg.MetadataValue.md(_markdown(done.preview))


def checked(done: Materialized) -> dg.AssetCheckResult:
    """The result of the check of a materialization."""
    if done.asset.layer == "bronze":
        return _drift_result(done.drift)
    if done.contract is None:
        # WARN blocks nothing: an asset without a contract runs, visibly unguarded.
        return dg.AssetCheckResult(
            check_name="contract",
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="There is no contract: write a class Contract beside the function.",
        )
    rules = _rules(done.rejected, done.broken_in_words)
    return dg.AssetCheckResult(check_name="contract", passed=True, metadata=rules)


def _drift_result(drift: Drift) -> dg.AssetCheckResult:
    found = {name: value for name, value in vars(drift).items() if value}
    return dg.AssetCheckResult(
        check_name="drift",
        passed=not drift,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={name: str(value) for name, value in found.items()},
    )


def _rules(rejected: int, broken_rules: dict[str, int]) -> dict[str, int]:
    return {"rejected": rejected} | broken_rules


def _markdown(frame: pl.DataFrame) -> str:
    shown = [list(row.values()) for row in rows_as_python(frame)]
    rows = [frame.columns, ["---"] * frame.width, *shown]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    short = text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"
    return " ".join(short.replace("|", r"\|").split())
