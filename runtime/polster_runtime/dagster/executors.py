"""What EXECUTOR may name: what runs the steps of a run, here or on other machines."""

from types import ModuleType

import dagster as dg

from polster_runtime.config import entry_points
from polster_runtime.config.settings import settings
from polster_runtime.dagster import private
from polster_runtime.dagster.executor import threads_executor
from polster_runtime.errors import SettingsError

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
    try:
        found = entry_points.find(entry_points.EXECUTORS, name)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"EXECUTOR={name}: the package {error.name} is not installed; "
            "install what pyproject.toml lists with  pip install -e ."
        ) from None
    if found is None:
        there = (*HERE, *sorted(entry_points.named(entry_points.EXECUTORS)))
        raise SettingsError(
            f"EXECUTOR={name}: this project has {', '.join(there)}; "
            f"add another with  polster executor add {name}"
        )
    return found
