"""Few files in place of many increments.

Sixteen increments become one, sixteen of those become one, and so on: each row is written a few
times at most, and a reader opens few files. Once the increments outweigh the full file, all of it
becomes a new full file. What is merged appears in one step and the files that it holds stay for a
day, so that readers and crashes at any moment find every row, once.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.snapshots import Provenance, Snapshot, numbers
from polster_runtime.storage.staging import stage
from polster_runtime.storage.store import Store

TOGETHER = 16
"""How many increments become one."""
GRACE = timedelta(days=1)
"""How long a file stays after it has been merged: a run may still be reading it."""


def compact(data: Store, asset: AssetId) -> None:
    """Merge what is due of an asset; at most of its increments nothing is. Raises StorageError."""
    snapshot = data.latest(asset)
    if snapshot is None or numbers(snapshot.path)[1] % TOGETHER != 0 or len(snapshot.paths) == 1:
        return
    if _outweighs(data, snapshot):
        data.publish(_merged(data, snapshot.paths), data.new_path(asset))
        log.info("compacted", extra={"details": {"asset": str(asset)}})
        return
    _forget_held(data, snapshot)
    for first, last in _blocks(numbers(snapshot.path)[1]):
        block = [path for path in snapshot.paths if _within(path, first, last)]
        if len(block) > 1:
            path = data.merged_path(snapshot, first, last)
            data.publish(_merged(data, tuple(block)), path)
            log.info("merged", extra={"details": {"path": path, "files": len(block)}})
            compact(data, asset)
            return


def _blocks(last: int) -> Iterator[tuple[int, int]]:
    """The increments, by number, that belong in one file: the smallest blocks first."""
    size = TOGETHER
    while size <= last:
        for start in range(0, last - size + 1, size):
            yield start + 1, start + size
        size *= TOGETHER


def _within(path: str, first: int, last: int) -> bool:
    start, end = numbers(path)
    return first <= start and end <= last


def _outweighs(data: Store, snapshot: Snapshot) -> bool:
    with data.errors():
        full, *increments = [data.fs.size(path) for path in snapshot.paths]
    return bool(sum(increments) >= full)


def _merged(data: Store, paths: tuple[str, ...]) -> Path:
    """One file with the rows of several, in their order; it says what the last of them says."""
    newest = data.provenance(Snapshot(paths))
    oldest = data.provenance(Snapshot(paths[:1]))
    found: Provenance = {**newest, "merged": datetime.now(UTC).isoformat()}
    found |= {name: oldest[name] for name in ("recent_rows",) if name in oldest}
    with data.errors():
        return stage(data.scan(Snapshot(paths)), lambda: found)


def _forget_held(data: Store, snapshot: Snapshot) -> None:
    """Delete the files whose rows another has held for long enough."""
    for path in snapshot.paths:
        first, last = numbers(path)
        held = tuple(one for one in snapshot.held if _within(one, first, last))
        if held:
            merged = data.provenance(Snapshot((path,))).get("merged")
            if merged and datetime.now(UTC) - datetime.fromisoformat(merged) > GRACE:
                data.delete(Snapshot(held))
