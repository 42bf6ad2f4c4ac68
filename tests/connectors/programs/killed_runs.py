"""Run an asset again and again, and kill the runs at any moment: killed_runs.py ASSET ROUNDS SEED.

The runs are forked off this process, which has imported all that they need. Prints how many of them
were killed before they ended.
"""

import importlib
import os
import random
import signal
import sys
import time

from polster_runtime.execution.materialize import materialize

extract = importlib.import_module(f"core.{sys.argv[1]}").extract
chance = random.Random(int(sys.argv[3]))


def start() -> int:
    """Start a run."""
    child = os.fork()
    if not child:
        materialize(extract)
        os._exit(0)
    return child


started = time.perf_counter()
os.waitpid(start(), 0)
span, killed = 2 * (time.perf_counter() - started), 0
for _ in range(int(sys.argv[2])):
    child, ended = start(), False
    deadline = time.perf_counter() + chance.uniform(0, span)
    while not ended and time.perf_counter() < deadline:
        time.sleep(0.005)
        ended = os.waitpid(child, os.WNOHANG)[0] == child
    if not ended:
        os.kill(child, signal.SIGKILL)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL
    killed += not ended
    span *= 0.9 if ended else 1.1  # half of them die, however busy the machine is
print(killed)
