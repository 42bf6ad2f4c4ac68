"""What nights of a changing table cost, beside dbt-duckdb incremental.

    python bench/nights.py --python RUNTIME --dbt DBT [--rows 2000000] [--nights 4] [--share 0.001]

RUNTIME is a Python with what a generated project needs, DBT the `dbt` of an environment with
dbt-core and dbt-duckdb. Needs Polster. A log of changes is kept as the current row of each order
(Touched to Upsert; `delete+insert`), with two gold assets over it. Every command is a whole
process, start-up included. In every other night all assets are one process; the median counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import measure

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.generated.projects import initialise

LOG = """
import sys
import polars as pl

number, first, rows, orders, target = int(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5]
n = pl.int_range(first, first + rows, eager=True).alias("n").to_frame().lazy()
N = pl.col("n")
n.select(
    order_id=N * 7919 % orders,
    customer="c" + (N * 31 % (orders // 50)).cast(pl.String),
    amount=N % 1_000 / 8,
    deleted=N % 50 == 0,
    version=pl.datetime(2026, 1, 1) + pl.duration(days=number, microseconds=N),
).sink_parquet(target)
"""
EVENTS = '''"""Changes of orders."""

from pathlib import Path

import polars as pl

from polster_runtime import Frames, Position, run


def extract(position: Position = None) -> Frames:
    """Read the files of the log that are new."""
    for file in sorted(Path("log").glob("*.parquet")):
        if position is None or file.name > position:
            for batch in pl.scan_parquet(file).collect_batches(chunk_size=500_000):
                yield batch
            position = file.name
    return position


if __name__ == "__main__":
    run(extract)
'''
TOTALS = '''"""Orders by the size of their amount."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """A row for each size."""

    size = dy.Int64(primary_key=True)
    orders = dy.UInt32()
    amount = dy.Float64()


def aggregate(orders: pl.LazyFrame) -> pl.LazyFrame:
    """Count them, from all orders."""
    size = (pl.col("amount") // 10).cast(pl.Int64).alias("size")
    return orders.group_by(size).agg(orders=pl.len(), amount=pl.col("amount").sum())


if __name__ == "__main__":
    run(aggregate)
'''
ASSETS = (
    ("bronze", "events"),
    (
        *("silver", "orders", "--dependencies", "events", "--template", "latest", "--key"),
        *("order_id:Int64", "--order-by", "version:Datetime"),
        *("--columns", "customer,amount:Float64", "--deleted", "deleted:Boolean"),
    ),
    (
        "gold",
        "customers",
        "--dependencies",
        "orders",
        "--template",
        "per-entity",
        "--key",
        "customer",
    ),
    ("gold", "totals", "--dependencies", "orders"),
)
DBT = {
    "dbt_project.yml": (
        "name: shop\nversion: '1.0'\nprofile: shop\nmodels:\n  +materialized: table\n"
    ),
    "profiles.yml": (
        "shop:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: shop.duckdb\n"
        "      threads: 2\n"
    ),
    "models/orders.sql": """
{{ config(
  materialized='incremental', incremental_strategy='delete+insert', unique_key='order_id'
) }}
with changed as (
  select * from read_parquet('../shop/log/*.parquet')
  {% if is_incremental() %} where version > (select max(version) from {{ this }}) {% endif %}
)
select order_id, version, customer, amount, deleted from changed
qualify row_number() over (partition by order_id order by version desc) = 1
""",
    "models/customers.sql": (
        "select customer, count(*) as n from {{ ref('orders') }} where not deleted group by 1"
    ),
    "models/totals.sql": (
        "select cast(floor(amount / 10) as bigint) as size, count(*) as orders,"
        " sum(amount) as amount from {{ ref('orders') }} where not deleted group by 1"
    ),
}
READ = """
import sys
import time
import polars as pl
if sys.argv[1] == "store":
    from core.storage import read
    rows = read("silver_orders")
else:
    rows = pl.scan_parquet("plain.parquet")
if sys.argv[2] == "copy":
    rows.sink_parquet("plain.parquet", compression="zstd")
began = time.process_time()
right = rows.filter(pl.col("amount") > 100).select("order_id", other="amount")
joined = rows.join(right, on="order_id").group_by("customer").agg(pl.col("other").sum())
joined.collect(engine="streaming")
print(time.process_time() - began)
"""


def main() -> None:
    """Write both projects, run their nights, print the ratios."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        _write(folder)
        nights = Nights(folder, arguments)
        print(f"{arguments.rows:,} rows, {nights.changes:,} changes a night")
        nights.night(arguments.rows, ("bronze", "silver", "gold"))
        nights.compare("first load", [0])
        for number in range(1, arguments.nights + 1):
            one_by_one = ("bronze", "silver", "gold")
            nights.night(nights.changes, ("all in one",) if number % 2 else one_by_one)
        nights.compare("a night", [*range(1, arguments.nights + 1)])
        nights.reading()


COMMANDS = {
    "bronze": (["src/core/bronze_events.py"], None),
    "silver": (["src/core/silver_orders.py"], ["orders"]),
    "gold": (
        ["run_polster.py", "--asset", "gold_customers", "--asset", "gold_totals"],
        ["customers", "totals"],
    ),
    "all in one": (["run_polster.py"], ["orders", "customers", "totals"]),
}
"""What is run: by Polster, and the models of dbt, which reads the log itself."""


class Nights:
    """Two projects, and what their nights have cost."""

    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        """Begin without any."""
        self.shop, self.rival = folder / "shop", folder / "dbt"
        self.python, self.dbt = arguments.python.absolute(), arguments.dbt.absolute()
        self.orders, self.rows, self.number = arguments.rows * 9 // 10, 0, -1
        self.changes = max(1, round(arguments.rows * arguments.share))
        self.found: dict[tuple[int, str], tuple[measure.Cost, measure.Cost | None]] = {}

    def night(self, rows: int, parts: Sequence[str]) -> None:
        """Log the changes of a night, and run both projects."""
        self.number += 1
        target = self.shop / "log" / f"{self.number:04}.parquet"
        given = map(str, (self.number, self.rows, rows, self.orders, target))
        subprocess.run([self.python, "-c", LOG, *given], check=True)
        self.rows += rows
        for part in parts:
            words, models = COMMANDS[part]
            _, _, variables = measure.run_polster(self.shop, self.python)
            ours = measure.measured((self.shop, [self.python, *words], variables))
            theirs = measure.measured(self._dbt(models)) if models else None
            self.found[self.number, part] = ours, theirs

    def _dbt(self, models: Sequence[str]) -> measure.Command:
        words = [self.dbt, "run", "--quiet", "--profiles-dir", ".", "--select", *models]
        return self.rival, words, {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}

    def compare(self, title: str, nights: Sequence[int]) -> None:
        """Print the medians of some nights, and how they compare."""
        head = ("Polster CPU", "MB", "dbt CPU", "MB", "CPU ratio", "memory")
        print(f"\n{title:<12}" + "".join(f"{word:>12}" for word in head))
        for part in COMMANDS:
            both = [self.found[night, part] for night in nights if (night, part) in self.found]
            if both:
                ours = _median([found for found, _ in both])
                theirs = [found for _, found in both if found]
                print(f"{part:<12}{_line(ours, _median(theirs) if theirs else None)}")

    def reading(self) -> None:
        """Print what a join and a group cost after the nights, beside one plain file."""
        env = {**os.environ, "PYTHONPATH": str(self.shop / "src")}
        seconds = {}
        for source, what in (("store", "copy"), ("plain", ""), ("store", ""), ("plain", "")):
            words = [self.python, "-c", READ, source, what]
            done = subprocess.run(words, check=True, cwd=self.shop, env=env, stdout=subprocess.PIPE)
            seconds[source] = min(seconds.get(source, 1e9), float(done.stdout))
        ratio = seconds["store"] / seconds["plain"]
        print(f"\njoin and group after {self.number} nights: {ratio:.2f} of one plain file")


def _median(costs: Sequence[measure.Cost]) -> measure.Cost:
    return measure.Cost(*map(median, zip(*costs, strict=True)))


def _line(ours: measure.Cost, theirs: measure.Cost | None) -> str:
    text = f"{ours.cpu_seconds:>12.2f}{ours.megabytes:>12.0f}"
    if theirs:
        cpu, memory = ours.cpu_seconds / theirs.cpu_seconds, ours.megabytes / theirs.megabytes
        text += f"{theirs.cpu_seconds:>12.2f}{theirs.megabytes:>12.0f}{cpu:>12.2f}{memory:>12.2f}"
    return text


def _write(folder: Path) -> None:
    """Write both projects."""
    initialise(folder / "shop", "--no-sample-assets")
    polster = [sys.executable, "-m", "polster_core", "add-asset", "--layer"]
    for layer, name, *options in ASSETS:
        words = [*polster, layer, "--name", name, *options]
        subprocess.run(words, check=True, cwd=folder / "shop", stdout=subprocess.DEVNULL)
    core = folder / "shop" / "src" / "core"
    (core / "bronze_events.py").write_text(EVENTS, encoding="utf-8")
    (core / "gold_totals.py").write_text(TOTALS, encoding="utf-8")
    (folder / "shop" / "log").mkdir()
    for path, text in DBT.items():
        target = folder / "dbt" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--dbt", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--nights", type=int, default=4)
    parser.add_argument(
        "--share", type=float, default=0.001, help="changes of a night, of the rows"
    )
    parser.add_argument("--folder", type=Path, help="where to put the data")
    return parser.parse_args()


if __name__ == "__main__":
    main()
