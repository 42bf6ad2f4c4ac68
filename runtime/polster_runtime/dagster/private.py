"""What the runtime uses of Dagster that has no public name.

Each name stands here with what goes without it. A Dagster that has moved one does not break a
project: the runtime falls back to Dagster's own behaviour, and `doctor` says what is missing.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

_KILLED = "killed runs are noticed later"
_UI = "the UI counts runs of the terminal to no job"
USED: Mapping[str, str] = {
    "dagster._core.storage.event_log.SqliteEventLogStorage": "the stock event log is used: slower",
    "dagster._serdes.deserialize_value": "the stock event log is used: slower",
    "dagster._core.errors.DagsterUserCodeUnreachableError": _KILLED,
    "dagster._core.launcher.base.CheckRunHealthResult": _KILLED,
    "dagster._core.launcher.base.WorkerStatus": _KILLED,
    "dagster._grpc.types.CanCancelExecutionRequest": _KILLED,
    "dagster._grpc.types.CanCancelExecutionResult": _KILLED,
    "dagster._core.remote_origin.RemoteRepositoryOrigin": _UI,
    "dagster._core.workspace.load.location_origins_from_yaml_paths": _UI,
}
"""Each private name, and what happens without it."""
METHODS: Mapping[str, tuple[str, ...]] = {
    "dagster._core.storage.event_log.SqliteEventLogStorage": (
        "run_connection",
        "index_connection",
        "conn_string_for_shard",
        "store_event",
    ),
    "dagster.DefaultRunLauncher": ("_get_grpc_client_for_termination",),
}
"""Methods that are overridden or called, by the class that has them."""


def find(path: str) -> Any:
    """The object of a dotted path; None where this Dagster has none."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def has_methods(path: str) -> bool:
    """Whether a class has the methods that the runtime builds on."""
    found = find(path)
    return found is not None and all(hasattr(found, name) for name in METHODS[path])


def missing() -> list[str]:
    """A sentence for each private name that this Dagster lacks."""
    names = [f"{path}: {without}" for path, without in USED.items() if find(path) is None]
    methods = [f"{path}: it has changed" for path in METHODS if not has_methods(path)]
    return names + methods
