"""What `--failed` runs: what failed, or was skipped, the last time that it was to run.

That is looked at for each asset: a run of other assets since then changes nothing, and it does not
matter whether the terminal, the UI or the daemon ran it.
"""

from math import inf
from typing import Any

import dagster as dg

from polster_runtime.dagster.recovery import settle
from polster_runtime.dagster.selection import Graph, Keys
from polster_runtime.domain.selection import UnknownAsset


def failed_last_time(instance: dg.DagsterInstance, graph: Graph) -> Keys:
    """The assets that the last run that had them has not materialized, if it is over.

    Raises UnknownAsset where no run is recorded: then nobody knows what failed.
    """
    settle(instance)
    records = instance.get_asset_records(list(graph.materializable_asset_keys))
    entries = [record.asset_entry for record in records if record.asset_entry.last_run_id]
    if not entries:
        raise UnknownAsset("no run is recorded here, so nothing can have failed; omit --failed")
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
