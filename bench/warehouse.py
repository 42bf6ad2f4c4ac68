"""A warehouse of 17 assets and 8 million rows, beside the same steps as a bare Polars script.

    python bench/warehouse.py FOLDER --python RUNTIME [--million 8] [--rounds 3]

Eight sources, five silver assets that join and clean them, four gold ones that answer questions of
the kind of TPC-H. The rival calls the same functions one after the other and writes the same
Parquet files, each behind `fsync`. Neither checks a contract.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import chains
import measure

SOURCES = """
import sys
import polars as pl

lines = int(float(sys.argv[1]) * 750_000)
orders, customers, parts, suppliers = lines // 4, lines // 40, lines // 30, lines // 600


def table(name, rows, **columns):
    n = pl.int_range(rows, eager=True).alias("n").to_frame().lazy()
    n.select(**columns).sink_parquet(f"{sys.argv[2]}/{name}.parquet")


n = pl.col("n")
day = pl.date(1992, 1, 1) + pl.duration(days=n * 7 % 2_500)
table("region", 5, r_key=n, r_name="region " + n.cast(pl.String))
table("nation", 25, n_key=n, n_name="nation " + n.cast(pl.String), n_region=n % 5)
table("customer", customers, c_key=n, c_name="customer " + n.cast(pl.String), c_nation=n % 25,
      c_segment="segment " + (n * 3 % 5).cast(pl.String))
table("supplier", suppliers, s_key=n, s_name="supplier " + n.cast(pl.String), s_nation=n % 25)
table("part", parts, p_key=n, p_type="type " + (n % 150).cast(pl.String), p_size=n % 50)
table("partsupp", parts, ps_part=n, ps_supplier=n * 13 % suppliers, ps_cost=n % 1_000 / 7)
table("orders", orders, o_key=n, o_customer=n * 17 % customers, o_date=day,
      o_priority="priority " + (n % 5).cast(pl.String))
table("lineitem", lines, l_order=n // 4, l_part=n * 31 % parts, l_supplier=n * 13 % suppliers,
      l_quantity=n % 50 + 1, l_price=n % 100_000 / 3, l_discount=n % 11 / 100, l_ship=day,
      l_flag=pl.when(n % 3 == 0).then(pl.lit("R")).otherwise(pl.lit("N")))
"""
BRONZE = "region nation customer supplier part partsupp orders lineitem".split()  # noqa: SIM905
CODE = {
    "silver_place": ("nation region", 'nation.join(region, left_on="n_region", right_on="r_key")'),
    "silver_buyer": ("customer", 'customer.filter(pl.col("c_segment") != "segment 4")'),
    "silver_sale": (
        "lineitem",
        'lineitem.with_columns(l_paid=pl.col("l_price") * (1 - pl.col("l_discount")))',
    ),
    "silver_ordered": (
        "orders lineitem",
        """lineitem.join(orders, left_on="l_order", right_on="o_key")
        .filter(pl.col("l_ship") > pl.date(1993, 1, 1))""",
    ),
    "silver_offer": (
        "partsupp part supplier",
        """partsupp.join(part, left_on="ps_part", right_on="p_key")
        .join(supplier, left_on="ps_supplier", right_on="s_key")""",
    ),
    "gold_prices": (
        "sale",
        'sale.group_by("l_flag").agg(pl.len(), pl.col("l_quantity", "l_paid").sum())',
    ),
    "gold_customers": (
        "ordered buyer place",
        """ordered.join(buyer, left_on="o_customer", right_on="c_key")
        .join(place, left_on="c_nation", right_on="n_key")
        .group_by("n_name", "c_segment").agg(pl.col("l_price").sum(), pl.len())""",
    ),
    "gold_priorities": (
        "ordered",
        """ordered.group_by("o_priority", pl.col("o_date").dt.year())
        .agg(pl.col("l_order").n_unique(), pl.col("l_quantity").mean())""",
    ),
    "gold_offers": (
        "offer place",
        """offer.join(place, left_on="s_nation", right_on="n_key")
        .group_by("r_name", "p_type").agg(pl.col("ps_cost").min())""",
    ),
}
"""What each reads, and how."""
FUNCTIONS = {"silver": "transform", "gold": "aggregate"}
BY_HAND = """
import os
import sys

sys.path.insert(0, "src")
from core import {modules}


def write(frame, name):
    path = f"by_hand/{{name}}.parquet"
    frame.sink_parquet(path, compression="zstd")
    file = os.open(path, os.O_RDWR)
    os.fsync(file)
    os.close(file)


os.makedirs("by_hand", exist_ok=True)
import polars as pl

scan = lambda name: pl.scan_parquet(f"by_hand/{{name}}.parquet")
{steps}
"""


def main() -> None:
    """Write the sources, the project and the script; run both, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--million", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder, python = arguments.folder.resolve(), arguments.python.absolute()
    if not folder.exists():
        write(folder, python, arguments.million)
    print(f"{len(BRONZE) + len(CODE)} assets, {arguments.million:g} million rows")
    measure.compare(
        {
            "Polars by hand": (folder, [python, "by_hand.py"], {"PYTHONPATH": str(folder / "src")}),
            "run_polster.py": measure.run_polster(folder, python),
        },
        arguments.rounds,
    )


def write(folder: Path, python: Path, million: float) -> None:
    """Write all of it."""
    chains.write(folder, 0, 1, python=python, contracts=False)
    source = folder / "source"
    source.mkdir()
    subprocess.run([python, "-c", SOURCES, str(million), str(source)], check=True)
    steps = []
    for name in BRONZE:
        chains.write_asset(folder, "bronze", name, source / f"{name}.parquet", contracts=False)
        steps.append(f'write(bronze_{name}.extract(), "{name}")')
    chains.register(folder, "bronze", BRONZE)
    for key, (read_from, body) in CODE.items():
        upstream = read_from.split()
        write_step(folder, key, upstream, body)
        read = ", ".join(f'scan("{one}")' for one in upstream)
        layer, _, name = key.partition("_")
        steps.append(f'write({key}.{FUNCTIONS[layer]}({read}), "{name}")')
    for layer in FUNCTIONS:
        chains.register(
            folder, layer, [key.removeprefix(f"{layer}_") for key in CODE if layer in key]
        )
    modules = ", ".join([*(f"bronze_{name}" for name in BRONZE), *CODE])
    script = BY_HAND.format(modules=modules, steps="\n".join(steps))
    (folder / "by_hand.py").write_text(script, encoding="utf-8")


def write_step(folder: Path, key: str, upstream: list[str], body: str) -> None:
    """Write both files of a silver or gold asset."""
    layer, _, name = key.partition("_")
    parameters = ", ".join(f"{one}: pl.LazyFrame" for one in upstream)
    head = f"import polars as pl\n\n\ndef {FUNCTIONS[layer]}({parameters}) -> pl.LazyFrame:\n"
    (folder / f"src/core/{key}.py").write_text(
        f"{head}    return (\n        {body}\n    )\n", encoding="utf-8"
    )
    deps = ", ".join(f'"run_{chains.UPSTREAM[layer]}_{one}"' for one in upstream)
    text = chains.ASSET.format(
        layer=layer,
        name=name,
        function=FUNCTIONS[layer],
        check="contract_check",
        extra=f"    deps=[{deps}],\n    automation_condition=ON_UPSTREAM_SUCCESS,\n",
    )
    path = folder / f"src/orchestration/assets/{layer}/run_{key}.py"
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
