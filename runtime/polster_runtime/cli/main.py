"""The commands of a project that need neither Polster nor Dagster's UI."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from polster_runtime.errors import PipelineError

COMMANDS = {
    "doctor": "diagnose this project and suggest fixes",
    "preview": "show stored rows, columns or snapshots",
    "quarantine": "list, show or replay rejected rows",
    "state": "show or change incremental positions",
    "storage": "copy data to another store, delete old snapshots",
    "lineage": "print the column lineage as JSON",
}
"""Each command, a module of this package, and what it does."""
if Path(__file__).with_name("worker.py").exists():  # it comes with the engines that have workers
    COMMANDS["worker"] = "run steps for EXECUTOR=dask or celery"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m polster_runtime")
    commands = parser.add_subparsers(dest="runtime_command", required=True, metavar="COMMAND")
    chosen = given[0] if given and given[0] in COMMANDS else None
    module = import_module(f"polster_runtime.cli.{chosen}") if chosen else None
    for name, text in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=text,
            description=module.__doc__ if module and name == chosen else text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if module and name == chosen:
            module.add_arguments(command)
    parsed = parser.parse_args(given)
    try:
        return int(import_module(f"polster_runtime.cli.{parsed.runtime_command}").main(parsed))
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
