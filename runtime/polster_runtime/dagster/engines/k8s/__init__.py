"""A Kubernetes Job for each step: EXECUTOR=k8s, with dagster-k8s."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_k8s import K8sRunLauncher, k8s_job_executor

from polster_runtime.config.settings import load
from polster_runtime.dagster import private
from polster_runtime.dagster.engines import preconditions
from polster_runtime.dagster.engines.diagnosis import Step
from polster_runtime.dagster.engines.executor import DelegatingExecutor
from polster_runtime.dagster.engines.k8s import api
from polster_runtime.dagster.engines.k8s.steps import JobSteps, WithoutLauncher

NAMESPACE = {"job_namespace": "default"}
"""Where Jobs are made that no K8sRunLauncher and no K8S_NAMESPACE says anything of."""


@dataclass(frozen=True, kw_only=True)
class KubernetesSettings:
    """What is the same for the Jobs of all steps; what is empty is as the run launcher has it."""

    k8s_image: str = ""
    """The image of the project."""
    k8s_namespace: str = ""
    k8s_env_secrets: str = ""
    """The Secrets whose entries are variables of each step, separated by commas."""
    k8s_kubeconfig: str = ""
    """A kubeconfig file, for runs that are not in the cluster themselves."""


def executor() -> dg.ExecutorDefinition:
    """What EXECUTOR=k8s names. Raises SettingsError and HistoryError."""
    preconditions.check("k8s")
    stock: Any = k8s_job_executor

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        launched = isinstance(context.instance.run_launcher, K8sRunLauncher)
        config = context.executor_config if launched else {**NAMESPACE, **context.executor_config}
        with api.configured(str(config.get("kubeconfig_file") or "")):
            found: dg.Executor = stock.executor_creation_fn(
                context._replace(executor_config=config)
            )
        steps = private.step_handler_of(found)
        if steps is None:
            return found
        return DelegatingExecutor(JobSteps(steps if launched else WithoutLauncher(steps)))

    made = dg.ExecutorDefinition(
        name="k8s",
        config_schema=stock.config_schema,
        requirements=dg.multiple_process_executor_requirements(),
        executor_creation_fn=create,
    )
    configured: dg.ExecutorDefinition = made.configured(
        _config(load(KubernetesSettings)), name="k8s"
    )
    return configured


def diagnose() -> Iterator[Step]:
    """What `doctor` tries."""
    found = load(KubernetesSettings)

    def reach() -> str:
        api.connect(found.k8s_kubeconfig)
        return api.reach()

    yield "API server", reach
    yield "Jobs", lambda: api.may_make_jobs(found.k8s_namespace or NAMESPACE["job_namespace"])


def _config(found: KubernetesSettings) -> dict[str, Any]:
    secrets = [one.strip() for one in found.k8s_env_secrets.split(",") if one.strip()]
    given: dict[str, Any] = {
        "job_image": found.k8s_image,
        "job_namespace": found.k8s_namespace,
        "env_secrets": secrets,
        "kubeconfig_file": found.k8s_kubeconfig,
    }
    kept = {name: value for name, value in given.items() if value}
    return {**kept, "load_incluster_config": False} if found.k8s_kubeconfig else kept
