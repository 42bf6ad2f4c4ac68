"""Carry out a run for so many seconds."""

import sys
import time

from polster_runtime.dagster.run_process import held

with held("run"):
    sys.stdout.write("held\n")
    sys.stdout.flush()
    time.sleep(float(sys.argv[1]))
