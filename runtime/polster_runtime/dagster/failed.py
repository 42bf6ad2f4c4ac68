"""What `--failed` runs: what failed, or was skipped, the last time that it was to run.

That is looked at for each asset: a run of other assets since then changes nothing, and it does not
matter whether the terminal, the UI or the daemon ran it. Of an asset with partitions it is looked
at for each of them.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache, partial
from math import inf
from typing import Any

import dagster as dg

from polster_runtime.dagster.asset_keys import asset_of_key
from polster_runtime.dagster.recovery import settle
from polster_runtime.dagster.selection import Graph, Keys
from polster_runtime.domain.selection import UnknownAsset


def failed_last_time(instance: dg.DagsterInstance, graph: Graph) -> Keys:
    """The assets that the last run that had them has not materialized, if it is over.

    Those with partitions are not among them. Raises UnknownAsset where no run is recorded: then
    nobody knows what failed.
    """
    settle(instance)
    records = instance.get_asset_records(list(graph.materializable_asset_keys))
    entries = [record.asset_entry for record in records if record.asset_entry.last_run_id]
    if not entries:
        raise UnknownAsset("no run is recorded here, so nothing can have failed; omit --failed")
    entries = [entry for entry in entries if not _by_partition(graph, entry.asset_key)]
    ended: dict[Any, float] = {}
    for run_id in {entry.last_run_id for entry in entries if not _is_made(entry, inf)}:
        record = instance.get_run_record_by_id(str(run_id))
        if record is not None and record.dagster_run.is_finished:
            ended[run_id] = record.end_time or record.create_timestamp.timestamp()
    return {
        entry.asset_key
        for entry in entries
        if entry.last_run_id in ended and not _is_made(entry, ended[entry.last_run_id])
    }


def _is_made(entry: Any, ended: float) -> bool:
    """Whether the last run of an asset has materialized it, or something else did after that."""
    made = entry.last_materialization
    return made is not None and (made.run_id == entry.last_run_id or made.timestamp > ended)


def failed_partitions(
    instance: dg.DagsterInstance, graph: Graph
) -> Mapping[dg.AssetKey, AbstractSet[str]]:
    """The partitions that the last run that had them has not materialized, if it is over."""

    @cache
    def is_over(run_id: str) -> bool:
        run = instance.get_run_by_id(run_id)
        return run is not None and run.is_finished

    log, found = instance.event_log_storage, dict[dg.AssetKey, AbstractSet[str]]()
    tried = log.get_latest_asset_partition_materialization_attempts_without_materializations
    for key in filter(partial(_by_partition, graph), graph.toposorted_asset_keys):
        own = graph.get(key).partitions_def
        found[key] = {
            partition
            for partition, (run_id, _) in tried(key).items()
            if is_over(run_id) and own.has_partition_key(partition)
        }
    return {key: partitions for key, partitions in found.items() if partitions}


def _by_partition(graph: Graph, key: dg.AssetKey) -> bool:
    return asset_of_key(key) is not None and graph.get(key).partitions_def is not None
