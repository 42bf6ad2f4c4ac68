"""Whether the hundredth increment on a large table costs what the first one did.

    python bench/increments.py --python RUNTIME [--rows 50000000] [--each 10000] [--runs 100]

RUNTIME is a Python with what a generated project needs. Needs Polster. All runs are in one process;
the median of the first ten, without the very first, is compared with that of the last ten.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.generated.projects import initialise

CORE = '''"""Numbers."""

import os

import polars as pl

from polster_runtime import run
from polster_runtime import Frames, Position

EACH = int(os.environ["EACH"])


def extract(position: Position = None) -> Frames:
    """All rows at first, then some more."""
    first = position or 0
    last = first + (EACH if position else int(os.environ["ROWS"]))
    for start in range(first, last, 1_000_000):
        ids = pl.int_range(start, min(start + 1_000_000, last), eager=True).alias("id")
        yield ids.to_frame().with_columns(v=pl.col("id") / 7, g=pl.col("id") % 97)
    return last


if __name__ == "__main__":
    run(extract)
'''
RUNS = """
import os, time
from statistics import median
from core.bronze_bench import extract
from polster_runtime.execution.materialize import materialize

def seconds():
    began = time.process_time()
    materialize(extract)
    return time.process_time() - began

print(f"first, of everything   {seconds():8.3f} s")
found = [seconds() for _ in range(int(os.environ["RUNS"]))]
first, last = median(found[1:11]), median(found[-10:])
print(f"increments 2 to 11     {first:8.3f} s")
print(f"the last ten           {last:8.3f} s   {last / first:.2f}")
print(f"the dearest            {max(found):8.3f} s   (it merged what was due)")
print(f"all of them            {sum(found):8.3f} s")
"""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "shop"
        initialise(project, "--no-sample-assets")
        command = [sys.executable, "-m", "polster_core", "add-asset", "--layer", "bronze"]
        command += ["--name", "bench"]
        subprocess.run(command, check=True, cwd=project, stdout=subprocess.DEVNULL)
        (project / "src/core/bronze_bench.py").write_text(CORE, encoding="utf-8")
        counts = {name: str(getattr(arguments, name.lower())) for name in ("ROWS", "EACH", "RUNS")}
        env = {**os.environ, "PYTHONPATH": str(project / "src"), **counts}
        subprocess.run([arguments.python, "-c", RUNS], check=True, cwd=project, env=env)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", required=True)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--each", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    main()
