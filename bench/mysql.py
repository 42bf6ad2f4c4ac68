"""Time and memory of the MySQL connector, beside `pl.read_database` over SQLAlchemy and PyMySQL.

    python bench/mysql.py --python RUNTIME [--rows 1000000] [--large 4000000] [--rounds 3]

RUNTIME is a Python with what a project with a MySQL asset needs. Needs Polster and MariaDB. Every
measurement is a process of its own, from the table to the published Parquet file; the processor's
time counts, for the best of the rounds. With --large the memory for a larger table is shown.
"""
# ruff: noqa: S608 - the SQL is our own

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.connectors.mariadb import PASSWORD, USER, MariaDB, running
from tests.generated.projects import initialise

OURS = """
from core.bronze_bench import extract
from polster_runtime.execution.materialize import materialize
assert materialize(extract).rows == ROWS
"""
THEIRS = """
import os
import polars as pl
import sqlalchemy as sa
url = sa.URL.create("mysql+pymysql", os.environ["MYSQL_USER"], os.environ["MYSQL_PASSWORD"],
                    "127.0.0.1", int(os.environ["MYSQL_PORT"]), "shop")
with sa.create_engine(url).connect() as connection:
    frame = pl.read_database("SELECT * FROM bench", connection)
frame.write_parquet("theirs.parquet")
assert frame.height == ROWS
"""
MEASURE = """
import json, time
from pathlib import Path
(peak,) = [line for line in Path("/proc/self/status").open() if line.startswith("VmHWM")]
print(json.dumps({"seconds": time.process_time(), "peak": int(peak.split()[1]) / 1024}))
"""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder, running() as server:
        project = Path(folder) / "shop"
        initialise(project, "--no-sample-assets")
        _add(project)
        _fill(server, arguments.rows)
        env = _environment(server, project)
        pairs = [
            tuple(_run(arguments.python, project, env, code, arguments.rows) for code in CODES)
            for _ in range(arguments.rounds)
        ]
        ours, theirs = (
            min(each, key=lambda one: one["seconds"]) for each in zip(*pairs, strict=True)
        )
        print(f"{arguments.rows:,} rows x 8 columns".ljust(32), "processor", "   peak")
        for name, found in (("polster", ours), ("pl.read_database", theirs)):
            print(name.ljust(32), f"{found['seconds']:7.2f} s", f"{found['peak']:5.0f} MB")
        print(
            "ratio".ljust(32),
            f"{theirs['seconds'] / ours['seconds']:9.2f}",
            f"{theirs['peak'] / ours['peak']:8.2f}",
        )
        if arguments.large:
            _fill(server, arguments.large)
            found = _run(arguments.python, project, env, OURS, arguments.large)
            print(f"{arguments.large:,} rows".ljust(32), f"{found['seconds']:7.2f} s", end=" ")
            print(f"{found['peak']:5.0f} MB")


CODES = (OURS, THEIRS)


def _add(project: Path) -> None:
    command = [sys.executable, "-m", "polster_core", "add-asset", "--layer", "bronze"]
    command += ["--name", "bench", "--template", "mysql"]
    subprocess.run(command, check=True, cwd=project, stdout=subprocess.DEVNULL)


def _fill(server: MariaDB, rows: int) -> None:
    server.sql(
        "DROP TABLE IF EXISTS bench",
        "CREATE TABLE bench (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(40), "
        "amount DECIMAL(12,2), ratio DOUBLE, at DATETIME(6), day DATE, number INT, note TEXT)",
        "INSERT INTO bench SELECT seq, CONCAT('name ', seq), seq / 100, seq * 1.1, "
        "'2026-01-01' + INTERVAL seq SECOND, '2026-01-01', seq % 1000, CONCAT('text ', seq % 77) "
        f"FROM seq_1_to_{rows}",
    )


def _environment(server: MariaDB, project: Path) -> Mapping[str, str]:
    known = server.variables(MYSQL_USER=USER, MYSQL_PASSWORD=PASSWORD)
    variables = {name: str(value) for name, value in known.items()}
    return {**os.environ, "PYTHONPATH": str(project / "src"), **variables}


def _run(
    python: str, project: Path, env: Mapping[str, str], code: str, rows: int
) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-c", code.replace("ROWS", str(rows)) + MEASURE],
        check=True,
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
