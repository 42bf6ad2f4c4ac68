"""Set the clock LATER hours ahead: copied to `sitecustomize.py`, which Python imports first."""

import os
import time

now, hours = time.time, float(os.environ.get("LATER", "0"))
time.time = lambda: now() + hours * 3600
