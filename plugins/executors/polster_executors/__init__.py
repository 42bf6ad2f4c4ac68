"""Run the steps of a project's runs on Dask, Celery or Kubernetes."""

from __future__ import annotations

from collections.abc import Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import EnvVar, Executor, RuntimePart

_HISTORY = "dagster-postgres>=0.29,<0.30"
"""Workers read and write Dagster's history, which no file of one machine can be."""
_DATA = EnvVar(
    name="SHARED_DATA",
    help="Whether the data folder is that of all workers, such as on NFS (STORAGE_BACKEND=local).",
    default="false",
)
_LIMIT = EnvVar(
    name="EXECUTOR_MAX_STEPS",
    help="How many steps of a run may be on workers at once; 0: as many as there are.",
    default="0",
)
_PARTITIONS = EnvVar(
    name="PARTITIONS_AT_ONCE",
    help="How many partitions of an asset may be on workers at once; 1: one computes all in turn.",
    default="32",
)
_SILENT = EnvVar(
    name="SILENT_SECONDS",
    help="How long a worker, scheduler or broker may be silent before its steps count as lost.",
    default="60",
)
_COMMON = (_DATA, _LIMIT, _SILENT)


@hookimpl
def polster_executors() -> Iterable[Executor]:
    """Offer `celery`, `dask` and `k8s`."""
    yield Executor(
        name="celery",
        summary="Celery workers, with Redis or another broker",
        requirements=("celery[redis]>=5.5,<6", _HISTORY),
        env=(
            EnvVar(
                name="CELERY_BROKER_URL",
                help="Where the broker is, such as redis://hub:6379/0.",
                secret=True,
                required=True,
            ),
            EnvVar(
                name="CELERY_RESULT_URL",
                help="Where Celery keeps results, unless that is the broker, a Redis.",
                secret=True,
            ),
            _PARTITIONS,
            *_COMMON,
        ),
        runtime=(_part("celery"),),
    )
    yield Executor(
        name="dask",
        summary="A Dask cluster",
        requirements=(_HISTORY, "distributed>=2025.1"),
        env=(
            EnvVar(
                name="DASK_SCHEDULER_ADDRESS",
                help="Where the scheduler is.",
                default="tcp://127.0.0.1:8786",
                required=True,
            ),
            _PARTITIONS,
            *_COMMON,
        ),
        runtime=(_part("dask"),),
    )
    yield Executor(
        name="k8s",
        summary="A Kubernetes Job for each step",
        requirements=("dagster-k8s>=0.29,<0.30", _HISTORY),
        env=(
            EnvVar(name="K8S_IMAGE", help="The image of steps; else that of the run."),
            EnvVar(name="K8S_NAMESPACE", help="The namespace of their Jobs; else that of the run."),
            EnvVar(
                name="K8S_ENV_SECRETS",
                help="Secrets whose entries are variables of steps, separated by commas.",
            ),
            EnvVar(
                name="K8S_KUBECONFIG",
                help="A kubeconfig file, where runs are not in the cluster themselves.",
            ),
            *_COMMON,
        ),
        runtime=(_part("k8s"),),
    )


def _part(name: str) -> RuntimePart:
    return RuntimePart(package=f"polster_runtime.dagster.engines.{name}", executor=name)
