"""What is done after an asset has been published: its files are kept few."""

import polars as pl

from polster_runtime.config.interruption import Interrupted
from polster_runtime.config.logging import log
from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import StorageError
from polster_runtime.execution.result import Materialized
from polster_runtime.storage.cloud import waits
from polster_runtime.storage.compaction import compact
from polster_runtime.storage.registry import store
from polster_runtime.storage.retention import prune


def keep_files_few(done: Materialized, *, incremental: bool) -> None:
    """Merge increments, delete snapshots that need not stay; a run does not fail because that does.

    What waits for the cloud stays as it is.
    """
    if waits(done.path):
        return
    if incremental:
        merge_increments(done.asset)
    if settings().snapshot_retention:
        try:
            prune(store(), done.asset)
        except StorageError as error:
            log.warning("old snapshots stay", extra={"details": {"error": error}})


def merge_increments(asset: AssetId) -> None:
    """Merge the increments of an asset that are due; a run does not fail because that does."""
    try:
        compact(store(), asset)
    except (StorageError, pl.exceptions.PolarsError, Interrupted) as error:
        log.warning("increments stay as they are", extra={"details": {"error": error}})
