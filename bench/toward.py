"""What a project of many assets costs Dagster: its definitions, its snapshot, its history.

    python bench/toward.py --python RUNTIME [--assets 1000 5000] [--runs 40]

RUNTIME is a Python with what a generated project needs. Needs Polster. Times are those of the
processor, so that other work on the machine does not count. The steps are bronze ones of two rows.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.many_assets import write

LOAD = """
import resource, time
began = time.process_time()
import dagster, polars, polster_runtime
print(f"  packages               {time.process_time() - began:8.2f} s")
began = time.process_time()
from orchestration.definitions import defs
repository = defs().get_repository_def()
print(f"  definitions            {time.process_time() - began:8.2f} s")
began = time.process_time()
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value
text = serialize_value(RepositorySnap.from_def(repository))
seconds = time.process_time() - began
print(f"  snapshot of workspace  {seconds:8.2f} s {len(text) / 1e6:8.2f} MB")
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"  memory                 {most / 1024:8.0f} MB")
"""
RUN = """
import os, time
from pathlib import Path
import dagster as dg
from orchestration.definitions import defs
number, home = int(os.environ["RUNS"]), Path(os.environ["DAGSTER_HOME"])
assets = defs().get_repository_def().assets_defs_by_key.values()
bronze = [one for one in assets if one.key.path[-1].startswith("run_bronze_")][:number]
quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}

def size():
    return sum(path.stat().st_size for path in home.rglob("*") if path.is_file())

with dg.DagsterInstance.from_config(str(home)) as instance:
    dg.materialize(bronze[:1], instance=instance, run_config=quiet)
    before, began = size(), time.process_time()
    done = dg.materialize(bronze, instance=instance, run_config=quiet)
    seconds = time.process_time() - began
    events = len(instance.all_logs(done.run_id))
grown = (size() - before) / 1e3
print(f"  a step {seconds / number:.3f} s {events / number:.1f} events {grown / number:.1f} kB")
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("--assets", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--runs", type=int, default=40)
    arguments = parser.parse_args()
    for count in arguments.assets:
        print(f"{count} assets", flush=True)
        measure(count, arguments.python, arguments.runs)


def measure(count: int, python: str, runs: int) -> None:
    """Make a project of so many assets, and let it load and run some."""
    with tempfile.TemporaryDirectory() as folder:
        project, home = Path(folder) / "shop", Path(folder) / "home"
        write(project, count)
        home.mkdir()
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
        env = {
            **os.environ,
            "PYTHONPATH": str(project / "src"),
            "DAGSTER_HOME": str(home),
            "RUNS": str(runs),
        }
        for script in (LOAD, RUN):
            subprocess.run([python, "-c", script], check=True, cwd=project, env=env)


if __name__ == "__main__":
    main()
