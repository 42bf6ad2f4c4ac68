"""What a contract costs: a silver asset of many rows, without one, with one, and by hand.

    python bench/contracts.py FOLDER [--rows 10000000] [--repeats 3] [--python PYTHON]

Makes a project in the new FOLDER with a bronze asset of that many rows, one in a hundred of them
flawed, and silver assets that pass them on: without a contract, with eight row-wise rules, and
with a primary key as well. Runs each as `python src/core/silver_X.py`, and a script that calls
dataframely by hand on the same file with the same eight rules. Prints the shortest time of a whole
process, its CPU time and its peak memory. PYTHON is one that has what a generated project needs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

RULES = '''class Contract(dy.Schema):
    """Eight rules, each about one row."""

    id = dy.Int64(nullable=False{key})
    customer = dy.Int64(nullable=False, min=0)
    amount = dy.Float64(nullable=False, min=0, max=1_000)
    country = dy.String(nullable=False, max_length=2)

    @dy.rule()
    def amount_fits_the_customer(cls) -> pl.Expr:
        return pl.col("amount") <= pl.col("customer") + 1_000
'''
HEAD = """'''Silver.'''

import dataframely as dy
import polars as pl

from polster_runtime import run
"""
FUNCTION = '''

def transform(big: pl.LazyFrame) -> pl.LazyFrame:
    """Pass the rows on, each with its amount in full."""
    return big.with_columns(pl.col("amount") * 1.0)


if __name__ == "__main__":
    run(transform)
'''
BRONZE = '''"""Bronze."""

import polars as pl

from polster_runtime import run


def extract() -> pl.LazyFrame:
    """Make rows, one in a hundred with an amount below zero."""
    n = pl.int_range({rows}, dtype=pl.Int64)
    return pl.select(id=n).lazy().select(
        "id",
        customer=pl.col("id").hash(1) % 100_000,
        amount=pl.when(pl.col("id") % 100 == 7).then(-1.0).otherwise(pl.col("id") % 997),
        country=pl.lit("DE"),
    ).with_columns(pl.col("customer").cast(pl.Int64), pl.col("amount").cast(pl.Float64))


if __name__ == "__main__":
    run(extract)
'''
ASSET = '''"""The Dagster asset of src/core/{stem}.py."""

import dagster as dg

from core.{stem} import {function}
from orchestration.utils import Results, {check}, materialize


@dg.asset(group_name="{layer}", {deps}check_specs=[{check}("run_{stem}")])
def run_{stem}(context: dg.AssetExecutionContext) -> Results:
    """An asset."""
    yield from materialize(context, {function})
'''
BY_HAND = """
import sys
import polars as pl
from core.silver_rules import Contract
source, good_file, bad_file = sys.argv[1:]
rows = pl.scan_parquet(source).with_columns(pl.col("amount") * 1.0)
good, failure = Contract.filter(rows, cast=True)
failure.sink_parquet(bad_file)
good.lazy().sink_parquet(good_file)
print(pl.scan_parquet(good_file).head(10).collect())
"""


def main() -> None:
    """Write the project, run each asset, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--python", default=sys.executable)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    write(folder, arguments.rows)
    measured(folder, [arguments.python, "src/core/bronze_big.py"])
    (source,) = (folder / "data" / "bronze" / "big").glob("*.parquet")
    script = folder / "by_hand.py"
    script.write_text(BY_HAND, encoding="utf-8")
    outputs = [str(folder / "data" / f"{name}.parquet") for name in ("good", "bad")]
    commands = {
        "without a contract": ["src/core/silver_plain.py"],
        "eight row-wise rules": ["src/core/silver_rules.py"],
        "the same by hand": [str(script), str(source), *outputs],
        "and a primary key": ["src/core/silver_keyed.py"],
    }
    best = dict.fromkeys(commands, (float("inf"), 0.0, 0.0))
    for _ in range(arguments.repeats):  # in turn, so that a busy moment meets all of them
        for name, command in commands.items():
            best[name] = min(best[name], measured(folder, [arguments.python, *command]))
    plain, plain_cpu, _ = best["without a contract"]
    for name, (seconds, cpu, megabytes) in best.items():
        print(
            f"{name:<24}{seconds:>8.2f} s{seconds / plain:>6.2f} x"
            f"{cpu:>8.2f} s CPU{cpu / plain_cpu:>6.2f} x{megabytes:>8.0f} MB"
        )


def write(folder: Path, rows: int) -> None:
    """Make the project and its assets."""
    init = ["init", folder.name, "--no-sample-assets", "--no-setup", "--no-git"]
    subprocess.run(
        [sys.executable, "-m", "polster_core", *init],
        cwd=folder.parent,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    write_asset(folder, "bronze_big", BRONZE.format(rows=rows), "extract")
    contracts = {
        "plain": "",
        "rules": "\n\n" + RULES.format(key=""),
        "keyed": "\n\n" + RULES.format(key=", primary_key=True").replace("nullable=False, ", "", 1),
    }
    for name, contract in contracts.items():
        write_asset(folder, f"silver_{name}", HEAD + contract + FUNCTION, "transform")


def write_asset(folder: Path, stem: str, core: str, function: str) -> None:
    """Write both files of an asset."""
    layer = stem.partition("_")[0]
    (folder / "src" / "core" / f"{stem}.py").write_text(core, encoding="utf-8")
    bronze = layer == "bronze"
    text = ASSET.format(
        stem=stem,
        function=function,
        layer=layer,
        check="drift_check" if bronze else "contract_check",
        deps="" if bronze else 'deps=["run_bronze_big"], ',
    )
    file = folder / "src" / "orchestration" / "assets" / layer / f"run_{stem}.py"
    file.write_text(text, encoding="utf-8")


def measured(folder: Path, command: list[str]) -> tuple[float, float, float]:
    """Run a command in a project; return its seconds, its CPU seconds and its peak memory in MB."""
    env = {**os.environ, "PYTHONPATH": str(folder / "src")}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    cpu = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - began, cpu, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
