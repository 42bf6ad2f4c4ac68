"""30 sources and 60 assets that depend on them, as a module of a project.

What one of them shall do besides stands in a file of its name in the folder `orders`: to fail, to
kill its process (`kill`, once), or to wait for some seconds. The partitions of bronze_days are
computed by src/core/bronze_days.py.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import polars as pl

from polster_runtime.assets.binding import function_of
from polster_runtime.config import interruption
from polster_runtime.config.paths import project_root
from polster_runtime.dagster.steps import Results, drift_check, materialize
from polster_runtime.domain.asset_id import AssetId

DAYS = AssetId("bronze", "days")
SOURCES = int(os.environ.get("MANY_SOURCES", "30"))


def obey(name: str) -> None:
    """Do what is ordered."""
    file = Path(project_root(), "orders", name)
    order = file.read_text() if file.exists() else ""
    print(f"{name} is computed")
    if order == "kill":
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "fail":
        raise dg.Failure("ordered to fail", allow_retries=False)
    elif order:
        interruption.sleep(float(order))


def source(number: int) -> dg.AssetsDefinition:
    """Make an asset that depends on none."""

    @dg.asset(name=f"bronze_s{number:02}")
    def made() -> pl.DataFrame:
        obey(f"bronze_s{number:02}")
        return pl.DataFrame({"source": [number] * 3, "value": [number, number + 1, number + 2]})

    return made


def downstream(layer: str, before: str, number: int) -> dg.AssetsDefinition:
    """Make an asset that depends on one: each value is one more."""
    name, upstream = f"{layer}_s{number:02}", f"{before}_s{number:02}"

    @dg.asset(name=name, ins={"rows": dg.AssetIn(upstream)})
    def made(rows: pl.DataFrame) -> pl.DataFrame:
        obey(name)
        return rows.with_columns(pl.col("value") + 1)

    return made


PARTS = [f"p{number}" for number in range(int(os.environ.get("MANY_PARTITIONS", "6")))]


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(PARTS), check_specs=[drift_check(DAYS.key)])
def run_bronze_days(context: dg.AssetExecutionContext) -> Results:
    yield from materialize(context, function_of(DAYS))


makers: list[Callable[[int], dg.AssetsDefinition]] = [
    source,
    lambda number: downstream("silver", "bronze", number),
    lambda number: downstream("gold", "silver", number),
]
assets = [make(number) for make in makers for number in range(SOURCES)]
