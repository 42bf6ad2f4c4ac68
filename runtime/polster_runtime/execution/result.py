"""What a run of an asset published."""

from dataclasses import dataclass

import polars as pl

from polster_runtime.assets.contract import Contract
from polster_runtime.assets.drift import Drift
from polster_runtime.assets.rule_text import rule_in_words
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.column_lineage import Lineage

NEW_ONLY = "read what is new"
"""What an incremental asset does when all is well."""
ONCE_MORE = "read what was rejected once more"
"""What a replay of an increment does."""


@dataclass(frozen=True, kw_only=True)
class Materialized:
    """What one run of an asset published."""

    asset: AssetId
    path: str
    rows: int
    """Rows of the new file: of an increment, those that are new."""
    size: int
    """Bytes of the new file."""
    seconds: float
    schema: dict[str, str]
    """Column -> type, as Polars calls it."""
    preview: pl.DataFrame
    drift: Drift
    lineage: Lineage | None
    """What its columns depend on; None for bronze."""
    contract: Contract | None
    rejected: int
    broken_rules: dict[str, int]
    """Rows by the contract's own name of a rule."""
    removed: int = 0
    """Keys that an increment removes."""
    read: str | None = None
    """What an incremental asset has read of its upstream, and why, in words."""

    @property
    def broken_in_words(self) -> dict[str, int]:
        """Rows by rule, in words."""
        if self.contract is None:
            return {}
        return {
            rule_in_words(self.contract, rule): rows for rule, rows in self.broken_rules.items()
        }
