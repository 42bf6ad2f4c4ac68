"""Open the history as if Dagster lacked a method that ours is built on; print its class."""

import os

import dagster as dg

from core.paths import DAGSTER_HOME
from polster_runtime.dagster import event_log, private

private.METHODS = {event_log.STOCK: ("a_method_that_is_gone",)}
os.environ["DAGSTER_HOME"] = str(DAGSTER_HOME)
with dg.DagsterInstance.get() as instance:
    print(type(instance.event_log_storage).__name__, len(instance.get_runs()))
