"""Deploy a project with Docker Compose, on Kubernetes, or as services of systemd."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from polster_core.hookspecs import hookimpl
from polster_core.types import (
    Deployment,
    EnvVar,
    GitignoreLine,
    NewFile,
    ProjectContext,
    RuntimePart,
)

_HISTORY = "dagster-postgres>=0.29,<0.30"
"""Several containers share Dagster's history, which no file of one of them can be."""
_DRAIN = RuntimePart(package="polster_runtime.dagster.drain")
_POSTGRES_URL = EnvVar(
    name="DAGSTER_POSTGRES_URL",
    help="The PostgreSQL that keeps Dagster's history: postgresql://USER:PASSWORD@HOST/DATABASE.",
    secret=True,
)


@hookimpl
def polster_deployments() -> Iterable[Deployment]:
    """Offer `docker`, `kubernetes` and `systemd`."""
    yield Deployment(
        name="docker",
        summary="Docker Compose, on one machine",
        requirements=(_HISTORY,),
        env=(
            EnvVar(
                name="POSTGRES_PASSWORD",
                help="The password of the PostgreSQL in compose.yaml: letters and digits.",
                secret=True,
                required=True,
            ),
        ),
        runtime=(_DRAIN,),
        files=_templates("image", "docker"),
    )
    yield Deployment(
        name="kubernetes",
        summary="Kubernetes, a Job for each run",
        requirements=("dagster-k8s>=0.29,<0.30", _HISTORY),
        env=(_POSTGRES_URL,),
        files=_templates("image", "kubernetes"),
    )
    yield Deployment(
        name="systemd",
        summary="services of systemd, on one machine",
        env=(_POSTGRES_URL,),
        runtime=(_DRAIN,),
        files=_templates("systemd"),
    )


@hookimpl
def polster_gitignore_lines(context: ProjectContext) -> Iterable[GitignoreLine]:
    """Keep passwords, certificates and the settings of production out of git."""
    deployed = context.answers.get("deploy", "").split(",")
    if "docker" in deployed:
        yield GitignoreLine(pattern="deploy/docker/secrets/")
    if "kubernetes" in deployed:
        yield GitignoreLine(pattern="prod.env")


def _templates(*folders: str) -> Callable[[ProjectContext], Iterable[NewFile]]:
    """Return what renders the templates of some folders."""

    def files(context: ProjectContext) -> Iterable[NewFile]:
        from polster_core.rendering import project_files

        for folder in folders:
            yield from project_files("polster_deployments", f"templates/{folder}", context)

    return files
