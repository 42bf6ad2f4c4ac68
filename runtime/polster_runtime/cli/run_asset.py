"""`python src/core/silver_orders.py`: one asset, no Dagster."""

import argparse
import gc
import sys

from polster_runtime.assets.binding import Function, asset_of, find_function
from polster_runtime.config.interruption import Interrupted
from polster_runtime.config.logging import configure
from polster_runtime.errors import NoData, PipelineError
from polster_runtime.execution import interrupts, report
from polster_runtime.execution.materialize import materialize
from polster_runtime.execution.report import say
from polster_runtime.execution.result import Materialized


def main(function: Function) -> None:
    """Run one asset and print where its data went, its row count and its first rows."""
    full_refresh = _arguments(function).full_refresh
    try:
        configure()
        with interrupts.watch():
            done = run_with_upstream(function, full_refresh=full_refresh)
        say(report.line(done), report.place(done.path), report.frame(done.preview))
    except (NotImplementedError, PipelineError) as error:
        sys.exit(f"{report.red('error:', sys.stderr)} {asset_of(function)}: {error}")
    except (Interrupted, KeyboardInterrupt):
        sys.exit(130)
    finally:
        gc.freeze()  # or Python would look through all that was imported, only to end


def run_with_upstream(function: Function, *, full_refresh: bool = False) -> Materialized:
    """Run an asset; an upstream asset that has never run goes first."""
    while True:
        try:
            return materialize(function, full_refresh=full_refresh)
        except NoData as missing:
            upstream = find_function(missing.asset)
            if upstream is None:  # an @asset function, which only Dagster runs
                raise
            say(f"{missing.asset} has no data yet: running it first")
            say(report.line(run_with_upstream(upstream)))


def _arguments(function: Function) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Run {asset_of(function)}.")
    help_ = "let an incremental asset read everything again"
    parser.add_argument("--full-refresh", action="store_true", help=help_)
    return parser.parse_args()
