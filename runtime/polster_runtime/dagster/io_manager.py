"""Frames of @asset functions, kept as snapshots.

An asset of a layer that takes and returns frames is stored as all others are. Whatever else an
asset returns is kept as Dagster keeps it.
"""

from typing import Any

import dagster as dg
import polars as pl

from polster_runtime.assets.binding import code_version, source_file
from polster_runtime.config.interruption import Interrupted, interrupt
from polster_runtime.config.polars_engine import computed
from polster_runtime.dagster import private
from polster_runtime.dagster.asset_keys import asset_of_key
from polster_runtime.dagster.results import metadata
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.errors import NoData, PipelineError
from polster_runtime.execution.frames import latest, publish

KEY = "polster_snapshots"
"""What assets that ask for a frame of a layer name as their `input_manager_key`."""


class Snapshots(dg.IOManager):
    """Stores and loads the frames of the layers' assets."""

    def __init__(self, other: dg.IOManager) -> None:
        self.other = other
        self.read: dict[tuple[str, str], dict[str, list[str]]] = {}
        """The files that each step has read, by run and step."""

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Publish a frame as the newest snapshot of its asset."""
        asset = asset_of_key(context.asset_key) if context.has_asset_key else None
        if asset is None or not isinstance(obj, pl.DataFrame | pl.LazyFrame):
            self.other.handle_output(context, obj)
            return
        inputs = self.read.pop((context.run_id, context.step_key), {})
        function = private.function_of(context.op_def)
        found = {
            "run": context.run_id,
            "code": code_version(source_file(function)) if function else "",
            "asset_key": context.asset_key.to_user_string(),
        }
        try:
            done = publish(asset, obj, found, inputs)
        except (Interrupted, KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as error:
            interrupt()
            raise dg.Failure("interrupted", allow_retries=False) from error
        except PipelineError as error:
            raise dg.Failure(str(error), allow_retries=error.retryable) from error
        shown = metadata(done)
        del shown["seconds"]  # how long the function took is known to Dagster alone
        context.add_output_metadata(shown)

    def load_input(self, context: dg.InputContext) -> Any:
        """The rows of an asset: all of them as a DataFrame, unless a LazyFrame is asked for."""
        asset = asset_of_key(context.asset_key) if context.has_asset_key else None
        try:
            found = latest(asset) if asset else None
            if asset is None or found is None:
                return self._load_other(context, asset)
            rows, files = found
            step = context.step_context
            self.read.setdefault((step.run_id, step.step.key), {})[str(asset)] = [*files]
            wanted = context.dagster_type.typing_type
            is_lazy = isinstance(wanted, type) and issubclass(wanted, pl.LazyFrame)
            return rows if is_lazy else computed(rows)
        except PipelineError as error:
            raise dg.Failure(str(error), allow_retries=error.retryable) from error

    def _load_other(self, context: dg.InputContext, asset: AssetId | None) -> Any:
        try:
            return self.other.load_input(context)
        except FileNotFoundError:
            if asset is None:
                raise
            raise NoData(asset) from None


@dg.io_manager(description="Frames of bronze, silver and gold as snapshots")
def snapshots(context: dg.InitResourceContext) -> Snapshots:
    """The IO manager of a run."""
    instance = context.instance
    folder = instance.storage_directory() if instance else None
    return Snapshots(dg.FilesystemIOManager(base_dir=folder).create_io_manager(context))
