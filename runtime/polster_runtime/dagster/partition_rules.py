"""What partitions an asset may have, enforced when Dagster loads."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from polster_runtime.assets.binding import Function, core_file, is_incremental, takes_partition
from polster_runtime.assets.increments import plan_of
from polster_runtime.config.paths import project_root
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import AssetError
from polster_runtime.storage.partitions import LONGEST, folder_name

MOST = 100_000
"""Partitions of an asset: each has a file of its own."""
Partitions = Mapping[AssetId, dg.PartitionsDefinition[str] | None]
"""The partitions of each asset that there is."""


def wrong_partitions(
    asset: AssetId, function: Function | None, upstream: Sequence[AssetId], known: Partitions
) -> Iterator[str]:
    """A sentence for each thing that is wrong with the partitions of an asset."""
    own = known.get(asset)
    if own is None:
        yield from _wrong_without(asset, function, upstream, known)
        return
    if function is None:
        path = core_file(asset).relative_to(project_root()).as_posix()
        yield (
            f"{asset} has a partitions_def, but returns its rows to Dagster: "
            f"write them in {path}, and call materialize() here"
        )
        return
    yield from _wrong_definition(asset, own)
    if asset.layer == "bronze" and not takes_partition(function):
        yield f"{asset} has a partitions_def: {function.__name__}() must take partition"
    if reads_new := _reads_new(function):
        yield (
            f"{asset} has a partitions_def and {reads_new}: each partition is read whole, "
            "so take one of the two"
        )
    if upstream and own not in map(known.get, upstream):
        yield (
            f"{asset} has a partitions_def, but nothing that it depends on has the same partitions"
        )
    for other in upstream:
        if known.get(other) not in (None, own):
            yield (
                f"{asset} and {other} have different partitions: give them the same, or leave out "
                f"the partitions_def of {asset}, which then reads all of {other}"
            )


def _wrong_without(
    asset: AssetId, function: Function | None, upstream: Sequence[AssetId], known: Partitions
) -> Iterator[str]:
    if function is None:
        return
    if takes_partition(function):
        yield (
            f"{asset}: {function.__name__}() takes partition, but its Dagster file has no "
            "partitions_def=..., which says what partitions there are"
        )
    parted = [str(one) for one in upstream if known.get(one) is not None]
    if parted and _reads_new(function):
        yield (
            f"{asset} reads what is new, but {' and '.join(parted)} has partitions, which are "
            f"replaced: give {asset} the same partitions, or let it read all with pl.LazyFrame"
        )


def _reads_new(function: Function) -> str:
    """What of a function says that it reads only what is new, in words."""
    try:
        plan = plan_of(function)
    except AssetError:  # told of with the parameters
        return ""
    if is_incremental(function):
        return f"{function.__name__}() takes position"
    return f"{function.__name__}() adds to its rows" if plan.incremental or plan.own else ""


def _wrong_definition(asset: AssetId, own: dg.PartitionsDefinition[str]) -> Iterator[str]:
    if isinstance(own, dg.TimeWindowPartitionsDefinition):
        if own.start.astimezone(UTC) > datetime.now(UTC):
            yield f"{asset}: its partitions start in the future, on {own.start:%Y-%m-%d %H:%M}"
    elif isinstance(own, dg.StaticPartitionsDefinition):
        yield from _wrong_keys(asset, own.get_partition_keys())
    else:
        yield (
            f"{asset}: {type(own).__name__} is not supported; take hourly, daily, weekly, monthly "
            "or static partitions"
        )
        return
    if (count := own.get_num_partitions()) > MOST:
        yield f"{asset} has {count:,} partitions; at most {MOST:,} are possible: take longer ones"


def _wrong_keys(asset: AssetId, keys: Sequence[str]) -> Iterator[str]:
    folders: dict[str, str] = {}
    for key in keys:
        folder = folder_name(key)
        if not key or len(folder) > LONGEST:
            yield f"{asset}: the partition {key!r} is {'too long' if key else 'empty'}"
        elif ".." in key:
            yield f"{asset}: the partition {key!r} has .. in it, which stands for a range"
        if (other := folders.setdefault(folder.casefold(), key)) != key:
            yield f"{asset}: the partitions {other} and {key} are one folder where case is ignored"
