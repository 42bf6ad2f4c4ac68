"""Old snapshots: which of them stay, and deleting the others.

SNAPSHOT_RETENTION=30 keeps the newest 30 of each asset, 90d those of the last 90 days, and 30,90d
what either of them keeps. The newest snapshot always stays, and so does one that was the newest in
the last day: a run may still be reading it. Runs do the same for the assets that they write.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from polster_runtime.config.logging import log
from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import SettingsError
from polster_runtime.storage.snapshots import Snapshot, full_name, written_at
from polster_runtime.storage.store import Store

GRACE = timedelta(days=1)
"""How long a snapshot stays after a newer one has taken its place."""


@dataclass(frozen=True)
class Retention:
    """Which snapshots of an asset stay."""

    count: int = 0
    """The newest so many."""
    age: timedelta = timedelta(0)
    """Those that are younger."""

    @staticmethod
    def parse(text: str) -> "Retention | None":
        """What SNAPSHOT_RETENTION says; None keeps everything. Raises SettingsError."""
        kept = Retention()
        for part in text.replace(" ", "").split(",") if text else ():
            number = part.removesuffix("d")
            if not number.isdecimal() or int(number) == 0:
                raise SettingsError(
                    f"SNAPSHOT_RETENTION must be a number of snapshots such as 30, of days such as "
                    f"90d, or both: 30,90d; not {text!r}"
                )
            if part.endswith("d"):
                kept = Retention(kept.count, timedelta(days=int(number)))
            else:
                kept = Retention(int(number), kept.age)
        return kept if text else None

    def obsolete(self, snapshots: list[Snapshot], now: datetime) -> list[Snapshot]:
        """Those of an asset's snapshots that may go; they come and go the oldest first."""
        old = snapshots[: -max(self.count, 1)]
        return [
            snapshot
            for snapshot, newer in zip(old, snapshots[1:], strict=False)
            if now - written_at(snapshot.path) > self.age
            and now - written_at(newer.paths[0]) > GRACE
        ]


def prune(data: Store, asset: AssetId, dry_run: bool = False) -> list[Snapshot]:
    """Delete the snapshots of an asset that need not stay; return them.

    Raises SettingsError and StorageError.
    """
    retention = Retention.parse(settings().snapshot_retention)
    if retention is None:
        return []
    snapshots = data.snapshots(asset)
    gone = retention.obsolete(snapshots, datetime.now(UTC))
    if dry_run or not gone:
        return gone
    for snapshot in gone:
        data.delete(snapshot)
        log.info("deleted", extra={"details": {"path": snapshot.paths[0]}})
    oldest = data.epoch(snapshots[len(gone)])
    for path in data.rejected(asset):
        if full_name(path) < oldest:
            data.delete(Snapshot((path,)))
    return gone
