"""Run a core file, and print the most memory that it had, in kB."""

import re
import runpy
import sys
from pathlib import Path

runpy.run_path(sys.argv.pop(), run_name="__main__")
# What getrusage says counts the process that started this one as well.
found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
assert found
print(found[1])
