"""For each line on stdin start a process that runs an asset until it is killed: ASSET.

It has all its imports already. Prints its id.
"""

import importlib
import os
import sys

from polster_runtime.execution.materialize import materialize

extract = importlib.import_module(f"core.{sys.argv[1]}").extract
for _ in sys.stdin:
    child = os.fork()
    while not child:
        materialize(extract)
    print("started", child, flush=True)
    os.waitpid(child, 0)
