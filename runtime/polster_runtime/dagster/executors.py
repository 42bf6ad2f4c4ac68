"""What EXECUTOR may name: what runs the steps of a run, here or on other machines."""

from types import ModuleType

import dagster as dg

from polster_runtime.config import entry_points
from polster_runtime.config.settings import settings
from polster_runtime.dagster import private
from polster_runtime.dagster.executor import threads_executor

HERE = ("threads", "multiprocess", "in_process")
"""Executors of one machine, which every project has."""


def executor() -> dg.ExecutorDefinition:
    """What EXECUTOR says. Raises SettingsError where a run could not work with it."""
    name = settings().executor.lower()
    if name == "multiprocess":
        return dg.multiprocess_executor
    if name not in HERE:
        found: dg.ExecutorDefinition = engine(name).executor()
        return found
    return threads_executor if private.has_threads() else dg.in_process_executor


def engine(name: str) -> ModuleType:
    """The module of what runs steps on other machines. Raises SettingsError."""
    return entry_points.chosen(entry_points.EXECUTORS, "EXECUTOR", name, HERE)
