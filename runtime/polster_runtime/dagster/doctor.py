"""What `doctor` asks of Dagster."""

import os
import time

import dagster as dg

from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster import private

SILENT_SECONDS = 90.0
"""A daemon that has not reported for so long is taken to be gone; it reports every 30 s."""


def daemon_runs() -> bool:
    """Whether the daemon has reported lately that it is alive."""
    os.environ["DAGSTER_HOME"] = str(dagster_home())
    with dg.DagsterInstance.get() as instance:
        beats = instance.get_daemon_heartbeats().values()
    return any(time.time() - beat.timestamp < SILENT_SECONDS for beat in beats)


def missing_names() -> list[str]:
    """A sentence for each private name of Dagster that this version lacks."""
    return private.missing()
