"""`python src/core/silver_orders.py`: one asset, no Dagster."""

import argparse
import gc
import sys
from collections.abc import Sequence

from polster_runtime.assets.binding import Function, asset_of, find_function, has_partitions
from polster_runtime.config.interruption import Interrupted
from polster_runtime.config.logging import configure
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.selection import UnknownAsset
from polster_runtime.errors import AssetError, NoData, PipelineError
from polster_runtime.execution import interrupts, report
from polster_runtime.execution.layout import keep_layout
from polster_runtime.execution.materialize import materialize
from polster_runtime.execution.report import say
from polster_runtime.execution.result import Materialized
from polster_runtime.storage.registry import store


def main(function: Function) -> None:
    """Run one asset and print where its data went, its row count and its first rows."""
    arguments = _arguments(function)
    try:
        configure()
        for key in _partitions(asset_of(function), arguments.partition):
            with interrupts.watch():
                done = run_with_upstream(function, key, full_refresh=arguments.full_refresh)
            say(report.line(done), report.place(done.path), report.frame(done.preview))
    except (NotImplementedError, PipelineError, UnknownAsset) as error:
        sys.exit(f"{report.red('error:', sys.stderr)} {asset_of(function)}: {error}")
    except (Interrupted, KeyboardInterrupt):
        interrupts.end_now()  # threads of Polars may be in the middle of a function of the project
    finally:
        gc.freeze()  # or Python would look through all that was imported, only to end


def run_with_upstream(
    function: Function, partition: str = "", *, full_refresh: bool = False
) -> Materialized:
    """Run an asset, or a partition of it; an upstream asset that has never run goes first."""
    if partition:
        keep_layout(store(), asset_of(function).at(partition), full_refresh=full_refresh)
    while True:
        try:
            return materialize(function, full_refresh=full_refresh, partition=partition)
        except NoData as missing:
            upstream = find_function(missing.asset)
            if upstream is None:  # an @asset function, which only Dagster runs
                raise
            say(f"{missing.asset} has no data yet: running it first")
            say(report.line(run_with_upstream(upstream, missing.asset.partition)))


def _partitions(asset: AssetId, text: str) -> Sequence[str]:
    """The partitions to run, each checked; an empty one for an asset without.

    Raises AssetError where a partition is to be named, and where there are none.
    """
    if not has_partitions(asset):
        if text:
            raise AssetError("it has no partitions: omit --partition")
        return [""]
    if not text:
        raise AssetError("it has partitions: say which with  --partition KEY  or  FIRST..LAST")
    from polster_runtime.dagster.main import load  # here: Dagster alone knows which there are
    from polster_runtime.dagster.partition_runs import keys_named

    return keys_named(load(), asset, text)


def _arguments(function: Function) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Run {asset_of(function)}.")
    help_ = "let an incremental asset read everything again"
    parser.add_argument("--full-refresh", action="store_true", help=help_)
    parser.add_argument("--partition", default="", metavar="KEY", help="one, or FIRST..LAST")
    return parser.parse_args()
