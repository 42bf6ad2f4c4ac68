"""python -m polster_runtime COMMAND."""

import sys

from polster_runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
