"""A project's history that tests fill: a few assets, run in this process."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster.instance import opened
from polster_runtime.errors import HistoryError

TEMPLATE = Path(__file__).parents[2] / "polster_core/templates/project/dot_dagster/dagster.yaml"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dg.asset
def a() -> None:
    """Succeed."""


@dg.asset(deps=[a])
def b() -> dg.MaterializeResult[None]:
    """Say something about what was made."""
    return dg.MaterializeResult(metadata={"preview": dg.MarkdownMetadataValue("| x |\n" * 20)})


@dg.asset
def broken() -> None:
    """Fail."""
    raise ValueError("broken")


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["x", "y"]))
def parted() -> None:
    """Make a partition."""


ASSETS: Sequence[dg.AssetsDefinition] = [a, b, broken, parted]


def configure(project: Path) -> None:
    """Give the project the configuration that every project has."""
    (project / ".dagster").mkdir(exist_ok=True)
    shutil.copyfile(TEMPLATE, project / ".dagster" / "dagster.yaml")


def run(instance: dg.DagsterInstance, *names: str, partition: str | None = None) -> str:
    """Run some of the assets; return the id of the run."""
    wanted = [each for each in ASSETS if each.key.to_user_string() in names]
    defs = dg.Definitions(assets=wanted, jobs=[dg.define_asset_job("job")])
    done = defs.resolve_job_def("job").execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET, partition_key=partition
    )
    return done.run_id


@contextmanager
def table_of_runs() -> Iterator[sqlite3.Connection]:
    """Open the table of runs beside Dagster."""
    with closing(sqlite3.connect(dagster_home() / "history" / "runs.db")) as link, link:
        yield link


def age(days: int, *run_ids: str) -> None:
    """Let runs have ended some days ago."""
    then = (datetime.now(UTC) - timedelta(days=days)).replace(tzinfo=None).isoformat(sep=" ")
    with table_of_runs() as link:
        for run_id in run_ids:
            changed = link.execute(
                "UPDATE runs SET create_timestamp = ?, update_timestamp = ? WHERE run_id = ?",
                (then, then, run_id),
            )
            assert changed.rowcount == 1


def shards() -> set[str]:
    """Return the names of the files that hold events."""
    return {path.name for path in (dagster_home() / "history" / "runs").iterdir()}


def ran(*names: str, partition: str | None = None) -> str:
    """Run some of the assets as run_polster.py does; return the id of the run."""
    with opened(running=True) as instance:
        return run(instance, *names, partition=partition)


if __name__ == "__main__":
    try:
        ran(*sys.argv[1:])
    except HistoryError as refused:
        sys.exit(str(refused))
