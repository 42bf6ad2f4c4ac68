"""All rows of an asset, published from two machines at once.

The name of a full file is chosen when a run begins, by the clock of its machine; the one that sorts
last is what readers get. So of two runs at once the rows that are older might win. What was
published meanwhile is therefore looked for, before and after, and the run that finds it is to run
again, on what there is then.
"""

from contextlib import suppress
from pathlib import Path

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError, Unreachable
from polster_runtime.storage.cloud import waits
from polster_runtime.storage.snapshots import Snapshot, full_name, is_full
from polster_runtime.storage.store import Store


def publish_on(
    before: Snapshot | None, data: Store, asset: AssetId, staged: Path, path: str
) -> str:
    """Publish rows of an asset after what there was when its run began; return where they are.

    Raises StorageError where another run has published since, and what publishing raises.
    """
    if not is_full(path):  # of increments the name alone keeps others away
        return data.publish(staged, path)
    try:
        _refuse_overtaken(data, asset, before, path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    where = data.publish(staged, path)
    if not waits(where):
        _refuse_overtaken(data, asset, before, path)
    return where


def _refuse_overtaken(data: Store, asset: AssetId, before: Snapshot | None, path: str) -> None:
    since, own = full_name(before.path) if before else "", full_name(path)
    with suppress(Unreachable):  # then publishing says so, or goes on without the cloud
        for snapshot in data.snapshots(asset):
            if since < full_name(snapshot.path) != own:
                raise StorageError(
                    f"{snapshot.paths[0]} was published by another run meanwhile; run {asset} again"
                )
