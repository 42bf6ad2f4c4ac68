"""The columns of an asset for the Dagster UI."""

from collections.abc import Mapping

import dagster as dg

from polster_runtime.assets.contract import Contract
from polster_runtime.dagster.asset_keys import key_of
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.column_lineage import Lineage
from polster_runtime.execution.result import Materialized


def table_schema(done: Materialized) -> dg.TableSchema:
    """Names and types, with what the contract says of each column."""
    return dg.TableSchema(
        [_column(name, kind, done.contract) for name, kind in done.schema.items()]
    )


def column_lineage(lineage: Lineage, keys: Mapping[str, dg.AssetKey]) -> dg.TableColumnLineage:
    """The columns that each column depends on; `keys` are those of assets with unusual ones."""
    return dg.TableColumnLineage(
        {
            name: [
                dg.TableColumnDep(keys.get(one.asset) or key_of(AssetId.parse(one.asset)), one.name)
                for one in made
            ]
            for name, made in lineage.columns.items()
        }
    )


def _column(name: str, kind: str, contract: Contract | None) -> dg.TableColumn:
    if contract is None or name not in contract.columns():
        return dg.TableColumn(name, kind)
    promised = contract.columns()[name]
    limits = dg.TableColumnConstraints(
        nullable=promised.nullable, unique=promised.unique or contract.primary_key() == [name]
    )
    return dg.TableColumn(name, kind, description=promised.description, constraints=limits)
