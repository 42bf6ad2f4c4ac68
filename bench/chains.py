"""Write a project of bronze-silver-gold chains into a new folder, for the benchmarks.

    python bench/chains.py FOLDER CHAINS [--rows 1000] [--no-contracts] [--python PYTHON]

Each bronze asset reads the same Parquet file, each silver asset filters it, each gold asset
groups it. Needs Polster; PYTHON is one with Polars, for the source file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

SOURCE = """
import sys
import polars as pl
n = pl.int_range(int(sys.argv[1]), eager=True)
pl.DataFrame({"id": n, "v": (n * 37 % 1_000).cast(pl.Float64)}).write_parquet(sys.argv[2])
"""
LAYERS = {"bronze": "extract", "silver": "transform", "gold": "aggregate"}
UPSTREAM = {"silver": "bronze", "gold": "silver"}
CONTRACT = '''class Contract(dy.Schema):
    """What every row promises."""

    id = dy.Int64({key})
    v = dy.Float64(nullable=False, min=0)


'''
BODIES = {
    "bronze": 'def extract() -> pl.LazyFrame:\n    return pl.scan_parquet("{source}")\n',
    "silver": (
        "def transform({name}: pl.LazyFrame) -> pl.LazyFrame:\n"
        '    return {name}.filter(pl.col("v") > 10)\n'
    ),
    "gold": (
        "def aggregate({name}: pl.LazyFrame) -> pl.LazyFrame:\n"
        '    return {name}.group_by("id").agg(pl.col("v").sum())\n'
    ),
}
ASSET = '''"""The Dagster asset of src/core/{layer}_{name}.py."""

import dagster as dg

from core.{layer}_{name} import {function}
from orchestration.utils import ON_UPSTREAM_SUCCESS, Results, {check}, materialize


@dg.asset(
    group_name="{layer}",
    kinds={{"{layer}", "polars"}},
{extra}    check_specs=[{check}("run_{layer}_{name}")],
)
def run_{layer}_{name}(context: dg.AssetExecutionContext) -> Results:
    """Asset {name} of layer {layer}."""
    yield from materialize(context, {function})
'''


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("chains", type=int)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--no-contracts", action="store_true")
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    arguments = parser.parse_args()
    write(
        arguments.folder.resolve(),
        arguments.chains,
        arguments.rows,
        python=arguments.python,
        contracts=not arguments.no_contracts,
    )


def write(folder: Path, chains: int, rows: int, *, python: Path, contracts: bool) -> None:
    """Make the project with `polster init`, then add the chains to it."""
    init = ["init", folder.name, "--no-sample-assets", "--no-setup", "--no-git"]
    subprocess.run(
        [sys.executable, "-m", "polster_core", *init],
        cwd=folder.parent,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    source = write_source(folder, rows, python)
    names = [f"t{number}" for number in range(chains)]
    for layer in LAYERS:
        for name in names:
            write_asset(folder, layer, name, source, contracts=contracts)
        register(folder, layer, names)


def write_source(folder: Path, rows: int, python: Path) -> Path:
    """Write the rows that every bronze asset reads."""
    path = folder / "source.parquet"
    subprocess.run([python, "-c", SOURCE, str(rows), path], check=True)
    return path


def write_asset(folder: Path, layer: str, name: str, source: Path, *, contracts: bool) -> None:
    """Write both files of one asset."""
    guarded = contracts and layer != "bronze"
    head = (
        "import dataframely as dy\nimport polars as pl\n\n\n"
        if guarded
        else "import polars as pl\n\n\n"
    )
    contract = CONTRACT.format(key="primary_key=True") if guarded else ""
    body = BODIES[layer].format(name=name, source=source.as_posix())
    core = folder / "src" / "core" / f"{layer}_{name}.py"
    core.write_text(head + contract + body, encoding="utf-8")
    extra = ""
    if upstream := UPSTREAM.get(layer):
        extra = (
            f'    deps=["run_{upstream}_{name}"],\n    automation_condition=ON_UPSTREAM_SUCCESS,\n'
        )
    check = "drift_check" if layer == "bronze" else "contract_check"
    text = ASSET.format(layer=layer, name=name, function=LAYERS[layer], check=check, extra=extra)
    asset = folder / "src" / "orchestration" / "assets" / layer / f"run_{layer}_{name}.py"
    asset.write_text(text, encoding="utf-8")


def register(folder: Path, layer: str, names: list[str]) -> None:
    """Name all assets of a layer in its package."""
    keys = sorted(f"run_{layer}_{name}" for name in names)
    imports = "".join(f"from orchestration.assets.{layer}.{key} import {key}\n" for key in keys)
    exported = ", ".join(f'"{key}"' for key in keys)
    package = folder / "src" / "orchestration" / "assets" / layer / "__init__.py"
    package.write_text(
        f'"""The {layer} assets."""\n\n{imports}\n__all__ = [{exported}]\n', encoding="utf-8"
    )


if __name__ == "__main__":
    main()
