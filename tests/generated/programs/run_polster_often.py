"""Carry out several command lines of run_polster.py; print each exit code on stderr."""

import json
import runpy
import sys

from polster_runtime.dagster import main as commands

parse = runpy.run_path("run_polster.py")["parse_arguments"]
asked = json.loads(sys.argv[1])
for args in asked:
    sys.argv = ["run_polster.py", *args]
    print(commands.main(parse()), file=sys.stderr)
