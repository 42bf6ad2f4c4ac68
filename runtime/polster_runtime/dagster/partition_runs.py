"""Which partitions a command line asks for, and as how few runs they are computed.

A run computes one unbroken range of partitions: Dagster's tags hold no more.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import groupby

import dagster as dg

from polster_runtime.dagster.asset_keys import asset_of_key, key_of, name_of_key
from polster_runtime.dagster.selection import Graph, Keys
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.selection import UnknownAsset
from polster_runtime.storage.store import Store

PARTITION = "dagster/partition"
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
RANGE = ".."

Partitions = dg.PartitionsDefinition[str]


@dataclass(frozen=True)
class Batch:
    """The assets of one run, and the partitions of those that have any."""

    assets: Keys
    partitions: Sequence[str] = field(default=())

    @property
    def tags(self) -> Mapping[str, str]:
        """What tells Dagster the partitions."""
        if len(self.partitions) < 2:
            return {PARTITION: self.partitions[0]} if self.partitions else {}
        return {START: self.partitions[0], END: self.partitions[-1]}


def partitions_of(graph: Graph, key: dg.AssetKey) -> Partitions | None:
    """The partitions of an asset; None where it has none."""
    found: Partitions | None = graph.get(key).partitions_def
    return found


def parted(graph: Graph, keys: Keys) -> list[dg.AssetKey]:
    """Those of some assets that have partitions, in the order of flow."""
    return [key for key in graph.toposorted_asset_keys if key in keys and partitions_of(graph, key)]


def batches(graph: Graph, selected: Keys) -> list[Batch]:
    """The runs of some assets where no partition is named.

    Of time the latest that is over, else all. Assets of the same partitions are one run, with those
    that have none. Raises UnknownAsset where no partition is over yet.
    """
    left = [key for key in graph.toposorted_asset_keys if key in selected]
    found: list[Batch] = []
    while left:
        own, chosen = None, set[dg.AssetKey]()
        for key in left:
            partitions = partitions_of(graph, key)
            waits = {up for up in graph.get(key).parent_keys if up in left} - chosen
            if not waits and (partitions is None or own in (None, partitions)):
                own, chosen = own or partitions, {*chosen, key}
        found.append(Batch(chosen, _latest(graph, chosen, own) if own else ()))
        left = [key for key in left if key not in chosen]
    return found


def _latest(graph: Graph, keys: Keys, own: Partitions) -> Sequence[str]:
    if not isinstance(own, dg.TimeWindowPartitionsDefinition):
        return own.get_partition_keys()
    latest = own.get_last_partition_key()
    if latest is None:
        name = name_of_key(parted(graph, keys)[0])
        raise UnknownAsset(f"{name} has no partition yet: none that began {own.start} is over")
    return (latest,)


def range_of(graph: Graph, selected: Keys, text: str) -> Batch:
    """The run of the partitions that a text says: KEY, FIRST..LAST, FIRST.. or ..LAST.

    Raises UnknownAsset where that is not a partition of each asset that has any.
    """
    keys = parted(graph, selected)
    if not keys:
        raise UnknownAsset("no asset that was chosen has partitions: omit --partition")
    one_of_each = {partitions_of(graph, key): key for key in reversed(keys)}
    found = {tuple(_named(graph, key, text)) for key in one_of_each.values()}
    if len(found) > 1:
        names = " and ".join(map(name_of_key, keys))
        raise UnknownAsset(f"{names} have different partitions: run them one after the other")
    return Batch(selected, found.pop())


def _named(graph: Graph, key: dg.AssetKey, text: str) -> Sequence[str]:
    own, name = partitions_of(graph, key), name_of_key(key)
    first, is_range, last = text.partition(RANGE)
    if own and not is_range and own.has_partition_key(text):
        return (text,)  # without all of them, which takes a while where they are many
    every = own.get_partition_keys() if own else []
    if not every:
        raise UnknownAsset(f"{name} has no partition yet")
    first, last = first or every[0], (last or every[-1]) if is_range else first
    for one in (first, last):
        if one not in every:
            span = f"they go from {every[0]} to {every[-1]}"
            raise UnknownAsset(f"{one} is no partition of {name}: {span}")
    start, end = every.index(first), every.index(last)
    if start > end:
        raise UnknownAsset(f"--partition {text} runs backwards: write {last}{RANGE}{first}")
    return every[start : end + 1]


def keys_named(definitions: dg.Definitions, asset: AssetId, text: str) -> Sequence[str]:
    """The partitions of an asset that a text says. Raises UnknownAsset."""
    graph = definitions.resolve_asset_graph()
    return range_of(graph, {key_of(asset)}, text).partitions


def missing(graph: Graph, selected: Keys, text: str, data: Store) -> list[Batch]:
    """The runs of the partitions that have no data, of all or those of a text.

    Assets without partitions are in the last of them. Raises UnknownAsset, StorageError.
    """
    keys = parted(graph, selected)
    if not keys:
        raise UnknownAsset("no asset that was chosen has partitions: omit --missing")
    one_of_each = {partitions_of(graph, key): key for key in reversed(keys)}
    every = {own: _named(graph, key, text or RANGE) for own, key in one_of_each.items()}
    there = {key: data.partitions(asset) for key in keys if (asset := asset_of_key(key))}
    wanted = {
        key: {one for one in every[partitions_of(graph, key)] if one not in known}
        for key, known in there.items()
    }
    found = runs_of(graph, wanted)
    return _with(found, selected - set(keys)) if found else []


def failed(
    graph: Graph, selected: Keys, partitions: Mapping[dg.AssetKey, AbstractSet[str]]
) -> list[Batch]:
    """The runs of some assets, in the last of them, and of partitions of others."""
    found = runs_of(graph, partitions)
    return _with(found, selected) if found else batches(graph, selected)


def runs_of(graph: Graph, wanted: Mapping[dg.AssetKey, AbstractSet[str]]) -> list[Batch]:
    """One run for each unbroken range of partitions of which the same assets are wanted."""
    found: list[Batch] = []
    for own in dict.fromkeys(partitions_of(graph, key) for key in wanted):
        alike = {key: some for key, some in wanted.items() if partitions_of(graph, key) == own}

        def assets_of(
            partition: str, alike: Mapping[dg.AssetKey, AbstractSet[str]] = alike
        ) -> frozenset[dg.AssetKey]:
            return frozenset(key for key, some in alike.items() if partition in some)

        for assets, partitions in groupby(own.get_partition_keys() if own else (), assets_of):
            if assets:
                found.append(Batch(assets, tuple(partitions)))
    return found


def _with(found: list[Batch], rest: Keys) -> list[Batch]:
    """Some runs, the last of them with further assets."""
    return [*found[:-1], Batch(found[-1].assets | rest, found[-1].partitions)]


def with_downstream(graph: Graph, keys: Sequence[dg.AssetKey]) -> Keys:
    """Assets with partitions, and those without that depend on them."""
    found = set(keys)
    for key in graph.toposorted_asset_keys:
        if not partitions_of(graph, key) and found & set(graph.get(key).parent_keys):
            found.add(key)
    return found
