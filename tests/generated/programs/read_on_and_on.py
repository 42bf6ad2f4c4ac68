"""Read bronze_a until `stop` is there; each read gets all the rows of one snapshot."""

import sys
from pathlib import Path

from core.storage import read

rows, reads = int(sys.argv[1]), 0
while not Path("stop").exists():
    assert read("bronze_a").collect().height == rows
    reads += 1
    Path("reads").write_text(str(reads), encoding="utf-8")
