"""Run assets in one process, and print how each run ended: a line of JSON for a line of JSON.

Each line asks for {"asset": ..., "env": {...}}; they are arguments, or come from stdin.
"""

import importlib
import json
import os
import sys
import traceback

from polster_runtime.config.environment import variables
from polster_runtime.errors import PipelineError
from polster_runtime.execution.materialize import materialize

variables()  # those of .env, before one of them is changed
for asked in map(json.loads, sys.argv[1:] or sys.stdin):
    before = dict(os.environ)
    os.environ.update(asked["env"])
    try:
        extract = importlib.import_module(f"core.{asked['asset']}").extract
        said = f"published {materialize(extract).path}"
    except (NotImplementedError, PipelineError) as error:
        said = f"{error}\n{traceback.format_exc()}"
    os.environ.clear()
    os.environ.update(before)
    print(json.dumps(said), flush=True)
