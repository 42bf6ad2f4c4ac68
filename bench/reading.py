"""Time the commands that read a project, at 10,000 assets, and `dbt ls` beside `list-assets`.

    python bench/reading.py [--assets 10000] [--repeat 5] [--dbt PATH/TO/bin/dbt]

Prints for each command the fastest and the median run, the processor time of all its processes
(which tells what a quiet machine would take), the peak of its memory and the limit. With
`--dbt` (an environment that has dbt-duckdb), `dbt ls` of 1,002 models, without and with what dbt
remembers from the last time, is compared with `polster list-assets` of 1,002 assets.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import many_assets

LIMITS = {"list-assets": 2.0, "validate": 4.0, "add-asset --dry-run": 2.0}
"""Seconds, at 10,000 assets."""
MEGABYTES = 300
HEAD = f"{'':<22}{'best':>9}{'median':>9}{'CPU':>9}{'peak':>9}"
MODELS, SHARE = 1_002, 0.25
"""Assets or models, and the share of the time of `dbt ls` that `list-assets` may take."""


@dataclass(frozen=True)
class Timing:
    """Runs of one command: seconds each, seconds of processors, and the peak of memory in MB."""

    seconds: list[float]
    processor: float
    peak: float

    @property
    def best(self) -> float:
        """The run that the rest of the machine disturbed least."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The run in the middle."""
        return statistics.median(self.seconds)

    def row(self, name: str) -> str:
        """Return the figures as columns below `HEAD`."""
        return (
            f"{name:<22}{self.best:>7.2f} s{self.median:>7.2f} s{self.processor:>7.2f} s"
            f"{self.peak:>6.0f} MB"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--dbt", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        commands(Path(folder), arguments.assets, arguments.repeat)
        if arguments.dbt:
            beside_dbt(Path(folder), arguments.dbt.resolve(), arguments.repeat)


def commands(folder: Path, assets: int, repeat: int) -> None:
    """Time the commands in one large project."""
    project = folder / "large"
    many_assets.write(project, assets)
    add = ["add-asset", "--layer", "silver", "--name", "new_one", "--dependencies", "table_1"]
    runs = {
        "list-assets": ["list-assets"],
        "validate": ["validate"],
        "add-asset --dry-run": [*add, "--dry-run"],
    }
    print(f"{assets:,} assets, {os.cpu_count()} processors, {repeat} runs each")
    print(HEAD)
    for name, args in runs.items():
        timing = time_it(polster(*args), project, repeat)
        good = timing.best < LIMITS[name] and timing.peak < MEGABYTES
        print(
            f"{timing.row(name)}   {LIMITS[name]:g} s, {MEGABYTES} MB   "
            f"{'kept' if good else 'BROKEN'}"
        )


def beside_dbt(folder: Path, dbt: Path, repeat: int) -> None:
    """Compare `list-assets` with `dbt ls`."""
    project, models = folder / "beside", folder / "models"
    many_assets.write(project, MODELS)
    write_models(models, MODELS)
    ours = time_it(polster("list-assets"), project, repeat)
    ls = [str(dbt), "ls", "--quiet", "--profiles-dir", "."]
    forget = lambda: shutil.rmtree(models / "target", ignore_errors=True)  # noqa: E731
    cold = time_it(ls, models, repeat, before=forget)
    warm = time_it(ls, models, repeat)
    print(f"\n{MODELS:,} assets or models")
    print(f"{HEAD}\n{ours.row('polster list-assets')}")
    for name, theirs in (("dbt ls, cold", cold), ("dbt ls, warm", warm)):
        ratio = ours.median / theirs.median
        kept = "kept" if ratio <= SHARE else "BROKEN"
        print(f"{theirs.row(name)}   ours is {ratio:.2f} of it, the limit {SHARE}   {kept}")


def polster(*args: str) -> list[str]:
    """Return the command line of a Polster command."""
    return [sys.executable, "-m", "polster_core", *args]


def time_it(
    command: Sequence[str], folder: Path, repeat: int, before: Callable[[], object] = lambda: None
) -> Timing:
    """Run a command several times, once more before that to warm up the disk."""
    seconds, processor, peak = [], float("inf"), 0.0
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for _ in range(repeat):
        before()
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed")
        processor = min(processor, usage.ru_utime + usage.ru_stime)
        peak = max(peak, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2))
    return Timing(seconds, processor, peak)


def write_models(folder: Path, count: int) -> None:
    """Write a dbt project with the same graph: a third of the models on each layer."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        'name: beside\nversion: "1.0"\nconfig-version: 2\nprofile: beside\nmodel-paths: [models]\n',
        encoding="utf-8",
    )
    (folder / "profiles.yml").write_text(
        "beside:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: beside.duckdb}\n",
        encoding="utf-8",
    )
    for layer, assets in many_assets.plan(count).items():
        above = {"silver": "bronze", "gold": "silver"}.get(layer)
        for name, upstream in assets.items():
            joined = "\nunion all\n".join(
                f"select * from {{{{ ref('{above}_{one}') }}}}"  # noqa: S608 - nobody runs it
                for one in upstream
            )
            sql = joined or "select 1 as order_id, 2.0 as amount"
            (folder / "models" / f"{layer}_{name}.sql").write_text(sql + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
