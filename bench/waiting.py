"""Sources that keep one waiting: 50 bronze assets of one second each, beside threads by hand.

    python bench/waiting.py FOLDER --python RUNTIME [--sources 50] [--rounds 3]

Makes the project in the new FOLDER. RUNTIME is a Python with what a generated project needs. The
rival is a script with as many threads that waits, reads and writes the same, with Polars alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import chains
import measure

BY_HAND = """
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import polars as pl
source, out, count = sys.argv[1:]
Path(out).mkdir(exist_ok=True)
def read(number):
    time.sleep(1)
    pl.scan_parquet(source).sink_parquet(f"{out}/{number}.parquet")
with ThreadPoolExecutor(32) as threads:
    list(threads.map(read, range(int(count))))
"""


def main() -> None:
    """Write the project, run both in turn, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--sources", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder, python = arguments.folder.resolve(), arguments.python.absolute()
    chains.write(folder, arguments.sources, 1_000, python=python, contracts=False)
    for layer in ("silver", "gold"):
        chains.register(folder, layer, [])
    for file in (folder / "src/core").glob("bronze_t*.py"):
        text = file.read_text(encoding="utf-8").replace(
            "    return", "    time.sleep(1)\n    return"
        )
        file.write_text(f"import time\n\n{text}", encoding="utf-8")
    by_hand = ["-c", BY_HAND, folder / "source.parquet", folder / "out", str(arguments.sources)]
    print(f"{arguments.sources} sources of 1 s")
    measure.compare(
        {
            "threads and Polars by hand": (folder, [python, *by_hand], {}),
            "run_polster.py": measure.run_polster(folder, python),
        },
        arguments.rounds,
    )


if __name__ == "__main__":
    main()
