"""Be a worker of the engine that EXECUTOR names, until Ctrl-C.

    python -m polster_runtime worker [--at-once 4]

It runs steps of runs that have the very code and packages that it has: restart it after changes.
"""

import argparse
import sys

from polster_runtime.config.settings import settings
from polster_runtime.errors import PipelineError, SettingsError

STEPS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--at-once", type=int, default=STEPS, metavar="STEPS", help="steps at a time [4]"
    )


def main(arguments: argparse.Namespace) -> int:
    """Serve; return the exit code."""
    try:
        if arguments.at_once < 1:
            raise SettingsError("--at-once must be 1 or more")
        _serve(arguments.at_once)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    except KeyboardInterrupt:
        return 130
    return 0


def _serve(at_once: int) -> None:
    from polster_runtime.dagster.executors import HERE, engine

    name = settings().executor.lower()
    serve = None if name in HERE else getattr(engine(name), "serve", None)
    if serve is None:
        raise SettingsError(
            f"EXECUTOR={name} has no workers; set EXECUTOR=dask or celery, which have"
        )
    from polster_runtime.dagster.engines.worker import warm

    warm()
    serve(at_once)
