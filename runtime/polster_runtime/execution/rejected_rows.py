"""Rejected rows, put aside before the others are published."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from polster_runtime.assets.binding import Function
from polster_runtime.assets.contract import Checked, Contract, max_rejected, refuse
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.reading import Reading
from polster_runtime.storage.snapshots import Provenance, base_name, is_full
from polster_runtime.storage.staging import stage
from polster_runtime.storage.store import Store
from polster_runtime.storage.versions import Version, version


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """Where a run puts what it rejects."""

    data: Store
    asset: AssetId
    function: Function
    contract: Contract
    path: str
    """Where its good rows are to be published."""
    reading: Reading | None
    run_id: str
    provenance: Callable[[], Provenance]

    def keep(self, checked: Checked, rows: int) -> None:
        """Store what was rejected of some rows. Raises ContractBroken if it is too much."""
        if not checked.rejected:
            return
        bad = checked.bad.with_columns(
            _run=pl.lit(self.run_id), _rejected_at=pl.lit(datetime.now(UTC))
        )
        target = self._target()
        on = self._on  # found before: Polars asks for the footer from within
        self.data.publish(stage(bad, lambda: {**self.provenance(), "on": on}), target)
        refuse(rows, checked, max_rejected(self.function), self.contract)

    @property
    def _on(self) -> Version | None:
        """The rows that there were: once there are others, what was refused has been settled."""
        previous = self.reading.previous if self.reading else None
        return version(self.data, previous) if previous else None

    def _target(self) -> str:
        """Where rejected rows go: of an increment to a name of their own, which its footer says.

        What a killed run has left there blocks no other, and belongs to no increment.
        """
        path = self.path if is_full(self.path) else self.data.new_path(self.asset)
        if self.reading:
            self.reading.batch = base_name(path)
        folder, name = path.rsplit("/", 1)
        return f"{folder}/_rejected/{name}"
