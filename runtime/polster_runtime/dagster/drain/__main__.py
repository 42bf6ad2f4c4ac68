"""Wait until no run is under way: exit code 0. What runs after MINUTES is named: exit code 1.

python -m polster_runtime.dagster.drain [--minutes MINUTES]

Stop the daemon before, so that it starts no others.
"""

import argparse
import sys
from collections.abc import Sequence

from polster_runtime.dagster.drain import drain
from polster_runtime.errors import PipelineError


def main() -> int:
    """Wait as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    try:
        running: Sequence[str] = ()
        for running in drain(minutes * 60):
            print(f"waiting for {', '.join(running)}" if running else "no run is under way")
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if running:
        print(f"error: still running after {minutes:g} min: {', '.join(running)}", file=sys.stderr)
    return 1 if running else 0


if __name__ == "__main__":
    sys.exit(main())
