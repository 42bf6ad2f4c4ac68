"""A source larger than memory: bronze yields it in batches, silver filters, gold groups.

    python bench/large.py FOLDER --python RUNTIME [--rows 20000000] [--rounds 1]

Makes the project in the new FOLDER. 20 million rows are 5 GB as a frame. The rival is a script that
writes the same three Parquet files with the same streaming queries, with Polars alone; neither
checks a contract. RUNTIME is a Python with what a generated project needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import chains
import measure

BATCHES = """
import polars as pl

ROWS, BATCH, COLUMNS = {rows}, 250_000, 28


def batches():
    for start in range(0, ROWS, BATCH):
        n = pl.int_range(start, min(start + BATCH, ROWS), eager=True)
        numbers = {{f"c{{i}}": n // (i + 1) % 251 for i in range(COLUMNS)}}
        text = "customer " + (n % 5_000).cast(pl.String)
        yield pl.DataFrame({{"id": n, "customer": text, "amount": n % 1_009 / 7, **numbers}})
"""
FUNCTIONS = {
    "bronze": "def extract():\n    yield from batches()\n",
    "silver": (
        "def transform(t0: pl.LazyFrame) -> pl.LazyFrame:\n"
        '    return t0.filter(pl.col("amount") > 1).with_columns(pl.col("amount") * 2)\n'
    ),
    "gold": (
        "def aggregate(t0: pl.LazyFrame) -> pl.LazyFrame:\n"
        '    return t0.group_by("customer").agg(pl.len(), pl.col("amount").sum())\n'
    ),
}
BY_HAND = """
from polars.io.plugins import register_io_source

found = batches()
first = next(found)


def source(with_columns, predicate, n_rows, batch_size):
    yield first
    yield from found


rows = register_io_source(source, schema=first.schema, validate_schema=True)
rows.sink_parquet("bronze.parquet", compression="zstd")
transform(pl.scan_parquet("bronze.parquet")).sink_parquet("silver.parquet", compression="zstd")
aggregate(pl.scan_parquet("silver.parquet")).sink_parquet("gold.parquet", compression="zstd")
print(pl.read_parquet("gold.parquet").head(10))
"""


def main() -> None:
    """Write the project and the script, run both, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    folder, python = arguments.folder.resolve(), arguments.python.absolute()
    chains.write(folder, 1, 1, python=python, contracts=False)
    made = BATCHES.format(rows=arguments.rows)
    for layer, function in FUNCTIONS.items():
        head = made if layer == "bronze" else "import polars as pl\n"
        file = folder / "src" / "core" / f"{layer}_t0.py"
        file.write_text(f"{head}\n\n{function}", encoding="utf-8")
    script = folder / "by_hand.py"
    functions = "\n\n".join(FUNCTIONS[layer] for layer in ("silver", "gold"))
    script.write_text(f"{made}\n\n{functions}\n\n{BY_HAND}", encoding="utf-8")
    print(f"{arguments.rows:,} rows")
    measure.compare(
        {
            "Polars by hand": (folder, [python, script], {}),
            "run_polster.py": measure.run_polster(folder, python),
        },
        arguments.rounds,
        warm_up=False,
    )


if __name__ == "__main__":
    main()
