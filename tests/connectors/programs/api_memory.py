"""Read an API, and print how many rows, the sum of their ids, and the peak in MB: ADDRESS."""

import re
import sys
from pathlib import Path

from polster_runtime.errors import SourceError
from polster_runtime.sources.api import fetch_api_data

rows = total = 0
try:
    for part in fetch_api_data(sys.argv[1], pagination="none"):
        frame = part.lazy().collect()
        rows, total = rows + frame.height, total + int(frame["id"].sum())
except SourceError as error:
    sys.exit(str(error))
# What getrusage says counts the process that started this one as well.
peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
print(rows, total, int(peak[1]) // 1024 if peak else None)
