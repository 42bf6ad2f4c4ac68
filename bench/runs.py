"""A run of many small assets, beside dbt and beside Dagster's own command.

    python bench/runs.py FOLDER --python RUNTIME [--chains 33] [--dbt DBT] [--dagster] [--rounds 3]

Writes chains of bronze, silver and gold into the new FOLDER, 1,000 rows each, and the same models
for dbt: 33 chains are 99 assets, 334 are 1,002. RUNTIME is a Python with what a generated project
needs; DBT is the command of an environment with dbt-duckdb. `run_polster.py` checks contracts and
keeps Dagster's history on the disk; dbt builds tables, with no tests. `--dagster` compares
with `dagster asset materialize`, which has a process for each step: it takes minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import chains
import measure

PROJECT = """name: bench
version: "1.0"
profile: bench
flags: {send_anonymous_usage_stats: false}
models: {bench: {+materialized: table}}
"""
PROFILE = """bench:
  target: dev
  outputs:
    dev: {type: duckdb, path: bench.duckdb, threads: 2}
"""
MODELS = {
    "bronze": "select * from read_parquet('{source}')",
    "silver": "select * from {{{{ ref('bronze_t{number}') }}}} where v > 10",
    "gold": "select id, sum(v) as v from {{{{ ref('silver_t{number}') }}}} group by id",
}


def main() -> None:
    """Write the projects, run them in turn, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--chains", type=int, default=33)
    parser.add_argument("--dbt", type=Path)
    parser.add_argument("--dagster", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder, python = arguments.folder.resolve(), arguments.python.absolute()
    folder.mkdir()
    shop = folder / "shop"
    chains.write(shop, arguments.chains, 1_000, python=python, contracts=True)
    ours = {"run_polster.py": measure.run_polster(shop, python)}
    print(f"{3 * arguments.chains} assets")
    if arguments.dbt:
        write_dbt(folder / "dbt", arguments.chains, shop / "source.parquet")
        words = [arguments.dbt.absolute(), "-q", "build", "--profiles-dir", "."]
        measure.compare({"dbt build": (folder / "dbt", words, {})} | ours, arguments.rounds)
    if arguments.dagster:
        rival = {"dagster asset materialize": dagster(shop, python)}
        measure.compare(rival | ours, 1, warm_up=False)


def write_dbt(folder: Path, count: int, source: Path) -> None:
    """Write the chains as models for dbt."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    (folder / "profiles.yml").write_text(PROFILE, encoding="utf-8")
    for number in range(count):
        for layer, text in MODELS.items():
            model = folder / "models" / f"{layer}_t{number}.sql"
            model.write_text(text.format(source=source.as_posix(), number=number), encoding="utf-8")


def dagster(shop: Path, python: Path) -> measure.Command:
    """Return Dagster's command for the same assets, with the executor that it takes by itself."""
    home = shop.parent / "dagster-home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    variables = {
        "PYTHONPATH": str(shop / "src"),
        "DAGSTER_HOME": str(home),
        "EXECUTOR": "multiprocess",
    }
    select = ["asset", "materialize", "--select", "*", "-m", "orchestration.definitions"]
    return shop, [python.parent / "dagster", *select], variables


if __name__ == "__main__":
    main()
