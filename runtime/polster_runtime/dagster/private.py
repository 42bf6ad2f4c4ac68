"""What the runtime uses of Dagster that has no public name.

Each name stands here with what goes without it. A Dagster that has moved one does not break a
project: the runtime falls back to Dagster's own behaviour, and `doctor` says what is missing.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import dagster as dg

KILLED = "killed runs are noticed later"
RECORDED = "dagster._core.definitions.source_asset.SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION"
_IDLE = "the daemon costs more while nothing happens"
_UI = "the UI counts runs of the terminal to no job"

LAUNCHER = "dagster.DefaultRunLauncher"

_EXECUTION = "dagster._core.execution"
ITERABLE = f"{_EXECUTION}.api.ExecuteRunWithPlanIterable"
CONTEXT_MANAGER = f"{_EXECUTION}.context_creation_job.PlanExecutionContextManager"
STEP_EVENTS = f"{_EXECUTION}.plan.execute_plan.dagster_event_sequence_for_step"
HOOKS = f"{_EXECUTION}.plan.execute_plan._trigger_hook"
CONCURRENCY = f"{_EXECUTION}.plan.instance_concurrency_context.InstanceConcurrencyContext"
RETRY_MODE = f"{_EXECUTION}.retries.RetryMode"
LOG_FILE_KEY = f"{_EXECUTION}.compute_logs.create_compute_log_file_key"
_LOGS = "dagster._core.storage.compute_log_manager"
COMPUTE_LOGS = f"{_LOGS}.ComputeLogManager"
LOG_CONTEXT, LOG_METADATA = f"{_LOGS}.CapturedLogContext", f"{_LOGS}.CapturedLogMetadata"
LOG_SUBSCRIPTION = f"{_LOGS}.CapturedLogSubscription"
POLLING_LOGS = (
    "dagster._core.storage.cloud_storage_compute_log_manager.PollingComputeLogSubscriptionManager"
)
CONFIGURABLE = "dagster._serdes.ConfigurableClass"
LOGS = (COMPUTE_LOGS, LOG_CONTEXT, LOG_METADATA, LOG_SUBSCRIPTION, POLLING_LOGS, CONFIGURABLE)
"""What keeping the output of workers needs."""
ACTIVE = f"{_EXECUTION}.plan.active.ActiveExecution"
RUN_EVENTS = f"{_EXECUTION}.api.execute_run_iterator"
IN_MEMORY_JOB = "dagster._core.definitions.job_base.InMemoryJob"
CONTROLLER = "dagster._daemon.controller.DagsterDaemonController"
RELOAD_SECONDS = "dagster._daemon.controller.RELOAD_WORKSPACE_INTERVAL"
STEP_ARGS = "dagster._grpc.types.ExecuteStepArgs"
STEP_BODY = "dagster._cli.api._execute_step_command_body"
SERIALIZE, DESERIALIZE = "dagster._serdes.serialize_value", "dagster._serdes.deserialize_value"
DELEGATING = "dagster._core.executor.step_delegating.StepDelegatingExecutor"
STEP_HANDLER = "dagster._core.executor.step_delegating.StepHandler"
HEALTH = "dagster._core.executor.step_delegating.CheckStepHealthResult"
STEP_FAILURE = f"{_EXECUTION}.plan.objects.StepFailureData"
STEP_RETRY = f"{_EXECUTION}.plan.objects.StepRetryData"
MATERIALIZED = "dagster._core.events.StepMaterializationData"
REMOTE = (
    STEP_ARGS,
    STEP_BODY,
    SERIALIZE,
    DELEGATING,
    STEP_HANDLER,
    HEALTH,
    STEP_FAILURE,
    STEP_RETRY,
)
"""What running steps on other machines needs."""
GRPC_WAIT = "grpc._common.MAXIMUM_WAIT_TIMEOUT"
HEARTBEAT = "dagster._grpc.client.CLIENT_HEARTBEAT_INTERVAL"
UNDER_INTERVAL = "dagster._daemon.sensor.is_under_min_interval"
FRESHNESS = "dagster._daemon.freshness.FreshnessDaemon"
IDLE = (CONTROLLER, RELOAD_SECONDS, FRESHNESS, UNDER_INTERVAL, GRPC_WAIT, HEARTBEAT)
THREADS = (ITERABLE, CONTEXT_MANAGER, STEP_EVENTS, HOOKS, CONCURRENCY, RETRY_MODE, LOG_FILE_KEY)
"""What running steps in threads needs, beside the methods of ACTIVE."""

USED: Mapping[str, str] = {
    **dict.fromkeys(THREADS, "the steps of a run go one after the other"),
    **dict.fromkeys((RUN_EVENTS, IN_MEMORY_JOB), "run_polster.py runs one step after the other"),
    **dict.fromkeys(LOGS, "what steps on workers print is on their terminal only"),
    **dict.fromkeys(REMOTE, "no step runs on other machines"),
    "dagster._core.storage.event_log.SqliteEventLogStorage": "the stock event log is used: slower",
    "dagster._core.storage.sqlite_storage.DagsterSqliteStorage": "no history can be opened",
    "dagster._core.instance.ref.InstanceRef": "what assets print goes to Dagster's logs",
    DESERIALIZE: "the stock event log is used: slower",
    "dagster._core.errors.DagsterUserCodeUnreachableError": KILLED,
    "dagster._core.launcher.base.CheckRunHealthResult": KILLED,
    "dagster._core.launcher.base.WorkerStatus": KILLED,
    "dagster._grpc.types.CanCancelExecutionRequest": KILLED,
    "dagster._grpc.types.CanCancelExecutionResult": KILLED,
    **dict.fromkeys(IDLE, _IDLE),
    MATERIALIZED: "workers share no partitions: one computes those of a step",
    RECORDED: "each partition is recorded twice, which takes longer",
    "dagster._core.remote_origin.RemoteRepositoryOrigin": _UI,
    "dagster._core.workspace.load.location_origins_from_yaml_paths": _UI,
}
"""Each private name, and what happens without it."""
METHODS: Mapping[str, tuple[str, ...]] = {
    ACTIVE: (
        "is_complete",
        "get_steps_to_execute",
        "get_known_state",
        "handle_event",
        "verify_complete",
        "plan_events_iterator",
        "concurrency_event_iterator",
        "sleep_interval",
    ),
    "dagster._core.storage.event_log.SqliteEventLogStorage": (
        "run_connection",
        "index_connection",
        "conn_string_for_shard",
        "store_event",
        "delete_events",
        "path_for_shard",
    ),
    "dagster._core.instance.ref.InstanceRef": ("from_dir",),
    DELEGATING: ("execute", "_pop_events", "log_failure_or_retry_event_after_error"),
    CONTROLLER: ("check_workspace_freshness",),
    FRESHNESS: ("run_iteration",),
    LAUNCHER: ("_get_grpc_client_for_termination",),
    "dagster.AssetsDefinition": ("get_attributes_dict",),
}
"""Methods that are overridden or called, by the class that has them."""


def find(path: str) -> Any:
    """The object of a dotted path; None where this Dagster has none."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def recorded_already() -> dict[str, bool]:
    """What tells Dagster, as metadata of an output, that the step has recorded its events itself.

    Without it Dagster records the partitions of a run once more when the step ends.
    """
    key = find(RECORDED)
    return {key: True} if key else {}


def function_of(op: Any) -> Callable[..., Any] | None:
    """The function that @asset or @op was written above; None where this Dagster hides it."""
    return getattr(getattr(op, "compute_fn", None), "decorated_fn", None)


def with_node(assets: dg.AssetsDefinition, node: dg.OpDefinition) -> dg.AssetsDefinition:
    """The same assets, made by another op; as they are where this Dagster cannot."""
    if not hasattr(assets, "get_attributes_dict"):
        return assets
    return type(assets)(**{**assets.get_attributes_dict(), "node_def": node})


def step_handler_of(executor: dg.Executor) -> Any:
    """What begins and watches the steps of a StepDelegatingExecutor; None where it is hidden."""
    return getattr(executor, "_step_handler", None)


def engine_of(storage: Any) -> Any:
    """What connects a storage of dagster-postgres; None where this Dagster hides it."""
    return getattr(storage, "_engine", None)


def use_engine(storage: Any, engine: Any) -> None:
    """Let a storage of dagster-postgres use another one than that which `engine_of` has found."""
    storage._engine = engine


def has_methods(path: str) -> bool:
    """Whether a class has the methods that the runtime builds on."""
    found = find(path)
    return found is not None and all(hasattr(found, name) for name in METHODS[path])


def has_threads() -> bool:
    """Whether steps can run in threads."""
    return all(find(path) is not None for path in THREADS) and has_methods(ACTIVE)


def has_all(without: str) -> bool:
    """Whether all is there for want of which something would go without."""
    return all(find(path) is not None for path, told in USED.items() if told == without)


def missing() -> list[str]:
    """A sentence for each private name that this Dagster lacks."""
    names = [f"{path}: {without}" for path, without in USED.items() if find(path) is None]
    methods = [f"{path}: it has changed" for path in METHODS if not has_methods(path)]
    return names + methods
