"""What Dagster records of a materialization: its metadata, and the result of its check."""

from collections.abc import Callable, Mapping

import dagster as dg
import polars as pl

from polster_runtime.assets.contract import Contract
from polster_runtime.assets.drift import Drift
from polster_runtime.assets.values import rows_as_python
from polster_runtime.config.logging import log
from polster_runtime.dagster.table_schema import column_lineage, table_schema
from polster_runtime.execution.result import Materialized
from polster_runtime.storage.cloud import waits

CELL_CHARACTERS = 60


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
        return drift_result(done.drift)
    return contract_result(done.contract, done.rejected, done.broken_in_words)


def contract_result(
    contract: Contract | None, rejected: int, broken_rules: dict[str, int]
) -> dg.AssetCheckResult:
    """The result of the check of rows that were published."""
    if contract is None:
        # WARN blocks nothing: an asset without a contract runs, visibly unguarded.
        return dg.AssetCheckResult(
            check_name="contract",
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="There is no contract: write a class Contract beside the function.",
        )
    rules = _rules(rejected, broken_rules)
    return dg.AssetCheckResult(check_name="contract", passed=True, metadata=rules)


def broken_contract(rejected: int, broken_rules: dict[str, int]) -> dg.AssetCheckResult:
    """The result of a check that lets nothing pass."""
    return dg.AssetCheckResult(
        check_name="contract", passed=False, metadata=_rules(rejected, broken_rules)
    )


def drift_result(drift: Drift, partitions: str = "") -> dg.AssetCheckResult:
    """The result of the check of a source, and in which partitions it was so."""
    found = {name: value for name, value in vars(drift).items() if value}
    found |= {"partitions": partitions} if partitions else {}
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
