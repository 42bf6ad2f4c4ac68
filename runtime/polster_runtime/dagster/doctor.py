"""What `doctor` asks of Dagster."""

import time
from collections.abc import Callable, Iterable

from polster_runtime.config.paths import dagster_home
from polster_runtime.config.settings import settings
from polster_runtime.dagster import private
from polster_runtime.dagster.executors import HERE, engine
from polster_runtime.dagster.history import postgres_url, reach
from polster_runtime.dagster.history_errors import MIGRATE, told, where
from polster_runtime.dagster.instance import opened
from polster_runtime.errors import HistoryError

SILENT_SECONDS = 90.0
"""A daemon that has not reported for so long is taken to be gone; it reports every 30 s."""


def daemon_runs() -> bool:
    """Whether the daemon has reported lately that it is alive."""
    with opened() as instance:
        beats = instance.get_daemon_heartbeats().values()
    return any(time.time() - beat.timestamp < SILENT_SECONDS for beat in beats)


def history_in_words() -> str:
    """Where the history is, its size, and how long runs are kept. Raises HistoryError."""
    with opened() as instance:
        runs = instance.get_runs_count()
        found, newest = instance.event_log_storage.alembic_version() or (None, None)
        kind = type(instance.run_storage).__name__
    if found != newest:
        raise HistoryError(f"Dagster's history in {where()} is of an older Dagster; {MIGRATE}")
    days = settings().run_retention
    kept = f"kept for {days} days" if days else "all are kept"
    counted = "1 run" if runs == 1 else f"{runs:,} runs"
    if not postgres_url() and "Sqlite" not in kind:  # what the team has put into dagster.yaml
        return f"{kind}, {counted}, {kept}"
    return f"{where()}, {_size() / 1e6:,.1f} MB, {counted}, {kept}"


def executor_steps() -> Iterable[tuple[str, Callable[[], str]]]:
    """What the engine that EXECUTOR names tries, where it is one. Raises SettingsError."""
    name = settings().executor.lower()
    if name in HERE:
        return ()
    found = engine(name)
    found.executor()  # which refuses what it cannot work with
    steps: Iterable[tuple[str, Callable[[], str]]] = getattr(found, "diagnose", tuple)()
    return steps


def _size() -> int:
    """The bytes that the history takes."""
    if url := postgres_url():
        with told():
            return int(reach(url, "SELECT pg_database_size(current_database())"))
    folders = [dagster_home() / name for name in ("history", "schedules", "storage")]
    return sum(file.lstat().st_size for folder in folders for file in folder.rglob("*"))


def missing_names() -> list[str]:
    """A sentence for each private name of Dagster that this version lacks."""
    return private.missing()
