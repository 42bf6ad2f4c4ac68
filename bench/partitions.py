"""365 partitions of three assets in one run, beside a ranged run of Dagster that does the same.

    python bench/partitions.py FOLDER --python RUNTIME [--days 365] [--rows 2000] [--rounds 2]
    python bench/partitions.py FOLDER --python RUNTIME --days 10000 --rows 20 --there

Writes a project and plain Dagster assets into the new FOLDER. RUNTIME is a Python with what a
generated project needs. The rival reads and writes the same Parquet files with the same functions,
with `BackfillPolicy.single_run()`, and loses all partitions of an asset when one fails.

With --there two assets have all partitions but the last from before: each is a copy of a file that
was computed, recorded in Dagster's history. Measured are the status, and one more partition. The
rival asks Dagster which partitions are there and Polars how many rows, and runs one partition.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import measure

HEAD = "import dataframely as dy\nimport polars as pl\n\nfrom polster_runtime import run\n\n\n"
CORE = {
    "bronze_days": """def extract(partition: str) -> pl.LazyFrame:
    ids = pl.int_range(0, {rows}, eager=True)
    frame = pl.DataFrame({{"id": ids, "shop": ids % 10}})
    return frame.lazy().with_columns(day=pl.lit(partition), sold=pl.col("id") % 97)
""",
    "silver_days": """def transform(days: pl.LazyFrame) -> pl.LazyFrame:
    return days.filter(pl.col("sold") > 3)
""",
    "gold_shops": """def aggregate(days: pl.LazyFrame) -> pl.LazyFrame:
    return days.group_by("day", "shop").agg(pl.col("sold").sum()).sort("shop")
""",
}
DEPS = {"bronze_days": [], "silver_days": ["days"], "gold_shops": ["days"]}
STOCK = '''"""The same assets with nothing but Dagster."""

import sys
from pathlib import Path

import dagster as dg
import polars as pl

DATA = Path(__file__).parent / "data"
days = dg.DailyPartitionsDefinition(start_date="{first}", end_date="{end}")
one_run = dg.BackfillPolicy.single_run()


def file(asset: str, key: str) -> Path:
    (DATA / asset).mkdir(parents=True, exist_ok=True)
    return DATA / asset / f"{{key}}.parquet"


@dg.asset(partitions_def=days, backfill_policy=one_run)
def bronze(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    for partition in context.partition_keys:
{extract}
        rows.sink_parquet(file("bronze", partition), compression="zstd")
    return dg.MaterializeResult()


@dg.asset(partitions_def=days, backfill_policy=one_run, deps=[bronze])
def silver(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    for partition in context.partition_keys:
        rows = pl.scan_parquet(file("bronze", partition)).filter(pl.col("sold") > 3)
        rows.sink_parquet(file("silver", partition), compression="zstd")
    return dg.MaterializeResult()


@dg.asset(partitions_def=days, backfill_policy=one_run, deps=[silver])
def gold(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    for partition in context.partition_keys:
        rows = pl.scan_parquet(file("silver", partition))
        rows = rows.group_by("day", "shop").agg(pl.col("sold").sum()).sort("shop")
        rows.sink_parquet(file("gold", partition), compression="zstd")
    return dg.MaterializeResult()


defs = dg.Definitions(assets=[bronze, silver, gold])


def status() -> None:
    """Say how many partitions and rows there are of two assets."""
    with dg.DagsterInstance.get() as instance:
        for asset in (bronze, silver):
            done = instance.get_materialized_partitions(asset.key)
            rows = pl.scan_parquet(DATA / asset.key.path[-1]).select(pl.len()).collect().item()
            print(asset.key, len(done), days.get_num_partitions(), rows)


def one_more() -> None:
    """Compute the last partition of two assets."""
    last = str(days.get_last_partition_key())
    with dg.DagsterInstance.get() as instance:
        assert dg.materialize([bronze, silver], partition_key=last, instance=instance).success


if __name__ == "__main__" and len(sys.argv) > 1:
    {{"status": status, "one_more": one_more}}[sys.argv[1]]()
elif __name__ == "__main__":
    keys = days.get_partition_keys()
    tags = {{
        "dagster/asset_partition_range_start": keys[0],
        "dagster/asset_partition_range_end": keys[-1],
    }}
    with dg.DagsterInstance.get() as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        quiet = {{"loggers": {{"console": {{"config": {{"log_level": "CRITICAL"}}}}}}}}
        done = job.execute_in_process(instance=instance, tags=tags, run_config=quiet)
    assert done.success
'''


FILL = """
import sys
from contextlib import nullcontext
from pathlib import Path

import dagster as dg

folder, prefix, keys = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
with dg.DagsterInstance.get() as instance:
    log = instance.event_log_storage
    together = getattr(log, "_held", None)
    for layer in ("bronze", "silver"):
        (template,) = folder.glob(f"{layer}/**/*.parquet")
        for start in range(0, len(keys), 1000):
            with together.together() if together else nullcontext():
                for key in keys[start : start + 1000]:
                    path = Path(str(template).replace(keys[-1], key))
                    if path == template:
                        continue
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(template.read_bytes())
                    event = dg.AssetMaterialization(prefix.format(layer), partition=key)
                    instance.report_runless_asset_event(event)
"""
"""Copies the only file of each layer to all partitions before that of the file."""


def main() -> None:
    """Write both, run them in turns, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--there", action="store_true")
    arguments = parser.parse_args()
    folder, python = arguments.folder.resolve(), arguments.python.absolute()
    folder.mkdir()
    first, end = span(arguments.days)
    shop = write_shop(folder, arguments.rows, first, end)
    stock = _stock(folder / "stock", arguments.rows, first, end)
    home = {"DAGSTER_HOME": str(stock), "DAGSTER_EVENT_BATCH_SIZE": "1000"}
    source = {"PYTHONPATH": str(shop / "src")}
    rival: list[str | Path] = [python, "stock.py"]
    ours: list[str | Path] = [python, "run_polster.py"]
    if not arguments.there:
        commands: dict[str, measure.Command] = {
            "Dagster, one range": (stock, rival, home),
            "Polster": (shop, [*ours, "--partition", ".."], source),
        }
        measure.compare(commands, arguments.rounds, warm_up=False)
        return
    more = [*ours, "--asset", "bronze_days", "--asset", "silver_days", "--partition"]
    days = [str(first + timedelta(days=day)) for day in range(arguments.days)]
    fill: list[str | Path] = [python, "-c", FILL]
    measure.measured((shop, [*more, days[-2]], source))
    measure.measured((stock, [*rival, "one_more"], home))
    dagster = source | {"DAGSTER_HOME": str(shop / ".dagster")}
    measure.measured((shop, [*fill, "data", "run_{}_days", ",".join(days[:-1])], dagster))
    measure.measured((stock, [*fill, "data", "{}", ",".join(days)], home))
    measure.compare(
        {
            "Dagster, status": (stock, [*rival, "status"], home),
            "Polster, status": (shop, [*ours, "--status"], source),
        },
        arguments.rounds,
    )
    measure.compare(
        {
            "Dagster, one more": (stock, [*rival, "one_more"], home),
            "Polster, one more": (shop, [*more, days[-1]], source),
        },
        arguments.rounds,
    )


def span(days: int) -> tuple[date, date]:
    """Return the first of so many days, and the day after the last."""
    end = date(2026, 1, 1)
    return end - timedelta(days=days), end


def write_shop(folder: Path, rows: int, first: date, end: date) -> Path:
    """Write the project with three assets of these days, and return its folder."""
    polster = [sys.executable, "-m", "polster_core"]
    _quietly([*polster, "init", "shop", "--no-sample-assets", "--no-setup", "--no-git"], folder)
    shop = folder / "shop"
    for stem, code in CORE.items():
        layer, _, name = stem.partition("_")
        parts = ["--partition", "daily"]
        if layer == "bronze":
            parts += ["--start", str(first)]
        deps = [part for one in DEPS[stem] for part in ("--dependencies", one)]
        add = ["add-asset", "--layer", layer, "--name", name, *deps, *parts]
        _quietly([*polster, *add], shop)
        (shop / f"src/core/{stem}.py").write_text(HEAD + code.format(rows=rows), encoding="utf-8")
    file = shop / "src/orchestration/partitions.py"
    text = file.read_text("utf-8").replace(f'"{first}"', f'"{first}", end_date="{end}"')
    file.write_text(text, encoding="utf-8")
    return shop


def _stock(folder: Path, rows: int, first: date, end: date) -> Path:
    folder.mkdir()
    body = CORE["bronze_days"].format(rows=rows).splitlines()[1:]
    extract = "\n".join(f"    {line.replace('return', 'rows =')}" for line in body)
    text = STOCK.format(first=first, end=end, extract=extract)
    (folder / "stock.py").write_text(text, encoding="utf-8")
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    return folder


def _quietly(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
