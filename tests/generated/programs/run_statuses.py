"""Print the states of all runs that Dagster knows of, the newest first."""

import os

import dagster as dg

from core.paths import DAGSTER_HOME

os.environ["DAGSTER_HOME"] = str(DAGSTER_HOME)
with dg.DagsterInstance.get() as instance:
    print(*[run.status.value for run in instance.get_runs()])
