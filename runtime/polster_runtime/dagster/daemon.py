"""Dagster's daemon, without the work that it does again and again though nothing has changed.

    python -m polster_runtime.dagster.daemon run -w WORKSPACE

Dagster starts a new code server each minute, which imports the whole project; compares the age of
all data with what is allowed twice a minute; and asks the code server every few seconds whether
something is due. Here the first is done when a file of the project has changed, or the code server
does not answer, and the others when something has happened, else every few minutes.
"""

import runpy
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg

from polster_runtime.dagster import private
from polster_runtime.dagster.asset_history import newest_event
from polster_runtime.dagster.idle import wait_longer
from polster_runtime.dagster.upstream_sensor import SENSOR, Cursor
from polster_runtime.dagster.workspace import roots

FRESHNESS_SECONDS = 300.0
LOOK_SECONDS = 60
"""How often there is a look at what is due though nothing has happened."""
FILES = ("workspace.yaml", ".env", "pyproject.toml")

Files = frozenset[tuple[str, float, int]]


def main() -> None:
    """Run it as `python -m dagster._daemon` does; where Dagster has changed, just that."""
    reload_when_changed()
    compare_ages_when_something_happened()
    wait_longer()
    look_when_something_happened()
    runpy.run_module("dagster._daemon", run_name="__main__", alter_sys=True)


def project_files() -> Files:
    """The files that decide what Dagster loads, with their times and sizes."""
    found = set()
    for path in (path for root in roots() for path in _files(root)):
        with suppress(OSError):  # gone, or not there
            stat = path.stat()
            found.add((str(path), stat.st_mtime, stat.st_size))
    return frozenset(found)


def _files(root: Path) -> Iterator[Path]:
    yield from (root / name for name in FILES)
    yield from (root / "src").rglob("*.py")


def reload_when_changed() -> None:
    """Load the project again only when its files have changed, or its server is gone."""
    controller = private.find(private.CONTROLLER)
    if controller is None or not private.has_methods(private.CONTROLLER):
        return
    stock, loaded = controller.check_workspace_freshness, [project_files()]

    def check(self: Any, last: float) -> float:
        if time.time() - last <= private.find(private.RELOAD_SECONDS):
            return last
        if (files := project_files()) == loaded[0] and _answers(self):
            return time.time()
        loaded[0] = files
        return float(stock(self, last))

    controller.check_workspace_freshness = check


def _answers(controller: Any) -> bool:
    """Whether the project is loaded, in a server that answers."""
    context = controller._workspace_process_context.create_request_context()
    try:
        for entry in context.get_code_location_entries().values():
            entry.code_location.client.ping("")
    except Exception:
        return False
    return True


def compare_ages_when_something_happened() -> None:
    """Compare the age of data only after an event, or after FRESHNESS_SECONDS."""
    daemon = private.find(private.FRESHNESS)
    if daemon is None or not private.has_methods(private.FRESHNESS):
        return
    stock, last = daemon.run_iteration, [(-1, 0.0)]

    def run_iteration(self: Any, workspace: Any) -> Iterator[Any]:
        newest = newest_event(workspace.instance)
        if newest == last[0][0] and time.monotonic() - last[0][1] < FRESHNESS_SECONDS:
            yield
            return
        last[0] = newest, time.monotonic()
        yield from stock(self, workspace)

    daemon.run_iteration = run_iteration


def look_when_something_happened() -> None:
    """Ask the sensor only after an event, or after LOOK_SECONDS: a look costs 20 ms."""
    stock = private.find(private.UNDER_INTERVAL)
    if stock is None:
        return

    def is_under_min_interval(state: Any, sensor: Any, *least: Any, **named: Any) -> bool:
        if stock(state, sensor, *least, **named):
            return True
        if sensor.name != SENSOR or not stock(state, sensor, LOOK_SECONDS):
            return False
        cursor = Cursor.read(state.instigator_data.cursor)
        return cursor.before == cursor.newest == newest_event(_instance())

    module, _, name = private.UNDER_INTERVAL.rpartition(".")
    setattr(import_module(module), name, is_under_min_interval)


@cache
def _instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.get()


if __name__ == "__main__":
    main()
