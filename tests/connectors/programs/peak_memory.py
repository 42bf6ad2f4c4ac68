"""Run a file as Python does, and print the peak of its memory in kB: peak_memory.py FILE."""

import runpy
import sys
from pathlib import Path

file = sys.argv.pop(1)
runpy.run_path(file, run_name="__main__")
(peak,) = [line for line in Path("/proc/self/status").open() if line.startswith("VmHWM")]
print(peak.split()[1])
