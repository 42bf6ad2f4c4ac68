"""This project's Dagster instance, opened for a while."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from polster_runtime.config.paths import dagster_home, project_root
from polster_runtime.config.root import key_prefix, project_name
from polster_runtime.config.settings import settings
from polster_runtime.dagster import private
from polster_runtime.dagster.history import postgres_url
from polster_runtime.dagster.history_errors import STAYS, named, told, where
from polster_runtime.errors import HistoryError

CONFIG = "dagster.yaml"
REF = "dagster._core.instance.ref.InstanceRef"
OWNER = "polster/project"
"""Under this key a history holds the name of the project that it is of."""
TERMINAL = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
"""What differs while assets run in this process: what they print is left on the terminal."""


@contextmanager
def opened(*, running: bool = False) -> Iterator[dg.DagsterInstance]:
    """The instance; `running` says that assets run in this process.

    Raises HistoryError for whatever is wrong with the history, also in the block, and where the
    history is another project's.
    """
    with told(STAYS if running else ""):
        home = ready_home()
        with _instance(home, running=running) as instance:
            _refuse_other_storage(instance)
            _claim(instance)
            yield instance


def ready_home() -> str:
    """Make DAGSTER_HOME ready for this process, and for those that it starts."""
    home = dagster_home()
    own = project_root() / ".dagster" / CONFIG
    home.mkdir(parents=True, exist_ok=True)
    if not (home / CONFIG).exists() and own.exists():
        shutil.copyfile(own, home / CONFIG)
    os.environ["DAGSTER_HOME"] = str(home)
    return str(home)


def _instance(home: str, *, running: bool) -> dg.DagsterInstance:
    if running and private.has_methods(REF):
        ref = private.find(REF).from_dir(home, overrides=TERMINAL)
        return dg.DagsterInstance.from_ref(ref)
    return dg.DagsterInstance.get()


def _refuse_other_storage(instance: dg.DagsterInstance) -> None:
    """Let nobody believe in a PostgreSQL that Dagster does not use."""
    kind = type(instance.event_log_storage)
    if postgres_url() and not kind.__module__.startswith("dagster_postgres"):
        raise HistoryError(
            f"DAGSTER_POSTGRES_URL is set, but {named(dagster_home() / CONFIG)} asks for another "
            "storage; let it say  storage: {custom: {module: polster_runtime.dagster.history, "
            "class: History}}"
        )


def _claim(instance: dg.DagsterInstance) -> None:
    """Let no two projects tell their assets of one name in one history."""
    if settings().shared_history:
        return
    if not postgres_url() and dagster_home().is_relative_to(project_root()):
        return
    # Those with other prefixes have no assets of the same keys.
    name, owner = project_name(), "/".join(filter(None, (OWNER, key_prefix())))
    known = instance.run_storage.get_cursor_values({owner}).get(owner)
    if known is None:
        instance.run_storage.set_cursor_values({owner: name})
    elif known != name:
        raise HistoryError(
            f"Dagster's history in {where()} is that of the project {known}, where assets of this "
            "one with the same names would be taken for its own; give this project a "
            "key-prefix in [tool.polster], another DAGSTER_HOME or database, or set "
            "SHARED_HISTORY=true in both"
        )
