"""Whether the rows of an asset are kept as it has them now: whole, or in partitions."""

from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError
from polster_runtime.storage.partitions import how_to_run
from polster_runtime.storage.store import Store


def keep_layout(data: Store, asset: AssetId, *, full_refresh: bool) -> None:
    """Refuse to write a partition beside rows without, or all rows beside partitions.

    A full refresh may: what it writes counts, and what was there stays in its files. Raises
    AssetError.
    """
    if full_refresh or (asset.partition and not data.snapshots(asset.whole)):
        return
    there = data.before(asset.whole)  # as far as that is known while the cloud is away
    if there is None or there.partitioned == bool(asset.partition):
        return
    if there.partitioned:
        raise AssetError(
            f"{asset} has rows in {len(there.paths)} partitions, from before. To let the rows of "
            f"one run take their place:  {how_to_run(asset, '--full-refresh')}; the files of the "
            f"partitions stay in {data.folder(asset)}"
        )
    raise AssetError(
        f"{asset.whole} has rows without partitions, from before. Readers get its partitions "
        f"instead as soon as there is one: load all of them at once with  python run_polster.py "
        f"--asset {asset.whole} --partition FIRST..LAST --full-refresh; the file from before stays "
        f"in {data.folder(asset.whole)}"
    )
