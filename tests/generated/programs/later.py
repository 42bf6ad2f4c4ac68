"""Do what run_polster.py does, LATER hours ahead."""

import os
import runpy
import time

now, hours = time.time, float(os.environ.get("LATER", "0"))
time.time = lambda: now() + hours * 3600
runpy.run_path("run_polster.py", run_name="__main__")
