"""Time and memory of the storage of a generated project, beside the bare Polars call.

    python bench/storage.py --python RUNTIME [--rows 10000000] [--rounds 3]

RUNTIME is a Python with what a project with `--storage adls` needs. Needs Polster and, for Azurite,
Node.js; AZURITE_HOME may say where Azurite is installed. Every measurement is a process of its own;
the best of the rounds counts. Bytes are counted by a proxy in front of Azurite.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.storage import azurite
from tests.storage.proxies import proxy

ACTIONS = r"""
import json, resource, sys, time
from pathlib import Path
import polars as pl
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.storage.snapshots import Snapshot
from polster_runtime.storage.staging import stage
from core.storage import store

action, source, out = sys.argv[1:]
asset, data = Asset("bronze", "bench"), store()
data.snapshots(asset)
url = data.fs.unstrip_protocol(f"{data.root}/bare.parquet")
if not Path(source).exists():
    rows = int(source.rpartition("-")[2].removesuffix(".parquet"))
    n = pl.int_range(rows, eager=True)
    pl.DataFrame({"id": n, "group": n % 1000, "v": n.shuffle(seed=1) / 7, "w": n % 97 * 0.5,
                  "text": (n % 5000).cast(pl.String)}).write_parquet(source)

def bare_write():
    Path(out).mkdir(parents=True, exist_ok=True)
    pl.scan_parquet(source).sink_parquet(url, **data.polars_options)
def our_write():
    path = data.new_path(asset)
    with data.ahead(path) as begun:
        data.publish(stage(pl.scan_parquet(source), dict, begun=begun), path)
def bare_read():
    pl.scan_parquet(url, **data.polars_options).sink_parquet(Path(out) / "read.parquet")
def our_read():
    data.scan(data.latest(asset)).sink_parquet(Path(out) / "read.parquet")
def our_column():
    rows = data.scan(data.latest(asset)).filter(pl.col("group") == 7)
    rows.select(pl.col("group").sum()).collect()
def list_many():
    data.snapshots(asset)
def nothing():
    pass

began = time.perf_counter()
globals()[action]()
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak": peak}))
"""


def main() -> None:
    """Measure everything and print it."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder, _lake(Path(folder)) as emulator:
        project = _project(Path(folder))
        source = Path(folder) / f"source-{arguments.rows}.parquet"
        bench = _Bench(arguments.python, project, source, arguments.rounds)
        lake = emulator.variables(emulator.create("bench"))
        print(f"{arguments.rows:,} rows".ljust(28), "bare".rjust(9), "storage.py".rjust(11), "peak")
        for name, env in (("local", {"STORAGE_BACKEND": "local"}), ("Azurite", lake)):
            bench.run("nothing", env)
            for action in ("write", "read"):
                bare, ours = bench.best_of_both(f"bare_{action}", f"our_{action}", env)
                ratio = ours["seconds"] / bare["seconds"]
                print(
                    f"{name} {action}".ljust(28),
                    f"{bare['seconds']:8.2f}s {ours['seconds']:10.2f}s {ours['peak']:.0f} MB"
                    f"   {ratio:.2f}",
                )
        _count_bytes(bench, emulator.port, lake)
        _list_many(bench, project)


class _Bench:
    """One project, and how to measure in it."""

    def __init__(self, python: str, project: Path, source: Path, rounds: int) -> None:
        self.python, self.project, self.source, self.rounds = python, project, source, rounds

    def run(self, action: str, env: Mapping[str, str]) -> dict[str, Any]:
        """Run an action in a process of its own."""
        done = subprocess.run(
            [self.python, "-c", ACTIONS, action, self.source, self.project / "data"],
            check=True,
            cwd=self.project,
            env={**os.environ, "PYTHONPATH": str(self.project / "src"), **env},
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def best_of_both(
        self, one: str, other: str, env: Mapping[str, str]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Run two actions in turns, so that both meet the same machine; return the fastest."""
        rounds = [(self.run(one, env), self.run(other, env)) for _ in range(self.rounds)]
        first, second = (min(each, key=_seconds) for each in zip(*rounds, strict=True))
        return first, second


def _seconds(found: dict[str, Any]) -> float:
    return float(found["seconds"])


def _count_bytes(bench: _Bench, port: int, env: Mapping[str, str]) -> None:
    with proxy(port) as between:
        through = {**env, "ADLS_ENDPOINT": azurite.endpoint(between.port)}
        bench.run("our_read", through)
        everything, between.received = between.received, 0
        bench.run("our_column", through)
        share = between.received / everything
        print(f"one column, filtered: {between.received:,} of {everything:,} bytes ({share:.1%})")


def _list_many(bench: _Bench, project: Path, count: int = 10_000) -> None:
    folder = project / "data" / "bronze" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"20260101T000000{number:06}Z-abcdef.parquet").touch()
    found = bench.run("list_many", {"STORAGE_BACKEND": "local"})
    print(f"list {count:,} snapshots: {found['seconds']:.3f} s")


@contextmanager
def _lake(folder: Path) -> Iterator[azurite.Azurite]:
    home = Path(os.environ.get("AZURITE_HOME") or Path(tempfile.gettempdir()) / "polster-azurite")
    with azurite.running(azurite.installed(home), folder / "azurite") as emulator:
        yield emulator


def _project(folder: Path) -> Path:
    command = [sys.executable, "-m", "polster_core", "init", "shop", "--storage", "adls"]
    command += ["--adls-account-name", azurite.ACCOUNT, "--adls-container", "bench"]
    subprocess.run(
        [*command, "--no-setup", "--no-git"], check=True, cwd=folder, stdout=subprocess.DEVNULL
    )
    return folder / "shop"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
