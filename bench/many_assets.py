"""Write a project with many assets into a new folder, for the benchmarks of reading.

    python bench/many_assets.py FOLDER 10000

`polster init` makes the project; half of the assets are bronze, a third silver (of one to three
bronze), the rest gold (of one or two silver), in files as `polster add-asset` writes them. The
same number makes the same project. Everything is tracked by git, as it would be.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FUNCTIONS = {"bronze": "extract", "silver": "transform", "gold": "aggregate"}
CORE = '''"""{title}: {name}."""

import dataframely as dy
import polars as pl

from polster_runtime import run


class Contract(dy.Schema):
    """What every row of {layer}_{name} promises; rows that break it are quarantined."""

    order_id = dy.Int64(primary_key=True)
    ordered_at = dy.Datetime(nullable=False)
    amount = dy.Float64(nullable=False, min=0)


def {function}({parameters}) -> pl.LazyFrame:
    """Valid {name}, one row each."""
    return {frame}.with_columns(
        (pl.col("amount") * 2).alias("double"), pl.col("ordered_at").dt.truncate("1d").alias("day")
    ).filter(pl.col("amount") > 0)


if __name__ == "__main__":
    run({function})
'''
BRONZE = '''"""Bronze: {name}."""

import polars as pl

from polster_runtime import run


def extract() -> pl.LazyFrame:
    """The {name} as they come."""
    return pl.LazyFrame({{"order_id": [1, 2], "amount": [1.0, 2.0]}})


if __name__ == "__main__":
    run(extract)
'''
ASSET = '''"""The Dagster asset of src/core/{layer}_{name}.py."""

import dagster as dg

from core.{layer}_{name} import {function}
from orchestration.utils import ON_UPSTREAM_SUCCESS, Results, {check}, materialize


@dg.asset(
    group_name="{layer}",
    kinds={{"{layer}", "polars"}},
{deps}    automation_condition=ON_UPSTREAM_SUCCESS,
    check_specs=[{check}("run_{layer}_{name}")],
)
def run_{layer}_{name}(context: dg.AssetExecutionContext) -> Results:
    """Valid {name}, one row each."""
    yield from materialize(context, {function})
'''
TEST = '''"""{layer}_{name}."""

from core.{layer}_{name} import {function}


def test_it_is_there() -> None:
    assert callable({function})
'''


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("assets", type=int)
    arguments = parser.parse_args()
    write(arguments.folder.resolve(), arguments.assets)


def write(folder: Path, count: int) -> None:
    """Make the project, then its assets, then commit."""
    init = ["init", folder.name, "--no-sample-assets", "--no-setup", "--git"]
    polster = [sys.executable, "-m", "polster_core", *init]
    subprocess.run(polster, cwd=folder.parent, check=True, stdout=subprocess.DEVNULL)
    for layer, assets in plan(count).items():
        for name, upstream in assets.items():
            for path, text in files(layer, name, upstream):
                (folder / path).write_text(text, encoding="utf-8")
        register(folder, layer, sorted(assets))
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)


def plan(count: int) -> dict[str, dict[str, list[str]]]:
    """Return each layer's assets and the names of what they depend on."""
    chance = random.Random(count)  # noqa: S311 - nothing is to be kept secret
    bronze = [f"table_{number}" for number in range(count // 2)]
    silver = [f"clean_{number}" for number in range(count // 3)]
    gold = [f"mart_{number}" for number in range(count - len(bronze) - len(silver))]
    return {
        "bronze": {name: [] for name in bronze},
        "silver": {name: chance.sample(bronze, chance.randint(1, 3)) for name in silver},
        "gold": {name: chance.sample(silver, chance.randint(1, 2)) for name in gold},
    }


def files(layer: str, name: str, upstream: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the three files of an asset."""
    above = {"silver": "bronze", "gold": "silver"}.get(layer, "")
    keys = ", ".join(f'"run_{above}_{one}"' for one in upstream)
    words = {
        "layer": layer,
        "title": layer.capitalize(),
        "name": name,
        "function": FUNCTIONS[layer],
        "check": "contract_check" if upstream else "drift_check",
        "deps": f"    deps=[{keys}],\n" if upstream else "",
        "parameters": ", ".join(f"{one}: pl.LazyFrame" for one in upstream),
        "frame": upstream[0] if upstream else "",
    }
    yield f"src/core/{layer}_{name}.py", (CORE if upstream else BRONZE).format(**words)
    yield (
        f"src/orchestration/assets/{layer}/run_{layer}_{name}.py",
        ASSET.format(**words),
    )
    yield f"tests/test_{layer}_{name}.py", TEST.format(**words)


def register(folder: Path, layer: str, names: list[str]) -> None:
    """Name all assets of a layer in its package."""
    package = f"orchestration.assets.{layer}"
    keys = [f"run_{layer}_{name}" for name in names]
    imports = "".join(f"from {package}.{key} import {key}\n" for key in keys)
    exported = "".join(f'    "{key}",\n' for key in keys)
    text = f'"""The {layer} assets."""\n\n{imports}\n__all__ = [\n{exported}]\n'
    path = folder / "src" / Path(*package.split("."), "__init__.py")
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
