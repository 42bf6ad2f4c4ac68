"""Where the Dagster UI and the daemon find a job.

A run that carries this origin is like any that they start themselves: it counts to its job, the
timeline shows it, and it can be executed again.
"""

import logging
from typing import TYPE_CHECKING

import dagster as dg

from polster_runtime.config.paths import module, project_root
from polster_runtime.dagster import private

if TYPE_CHECKING:
    from dagster._core.remote_origin import CodeLocationOrigin, RemoteJobOrigin

REPOSITORY = "__repository__"
"""What Dagster calls the repository of definitions that give it no name."""
log = logging.getLogger("core.launch")


def job_origin(job: str) -> "RemoteJobOrigin | None":
    """The origin of a job, by the code location that workspace.yaml gives to the project.

    None where the file gives none, or this Dagster has no such origins: the run itself needs none.
    """
    repository = private.find("dagster._core.remote_origin.RemoteRepositoryOrigin")
    location = _code_location()
    if repository is None or location is None:
        return None
    found: RemoteJobOrigin = repository(location, REPOSITORY).get_job_origin(job)
    return found


def _code_location() -> "CodeLocationOrigin | None":
    """The location that loads this project; the only one, where none says that it does."""
    read = private.find("dagster._core.workspace.load.location_origins_from_yaml_paths")
    file = project_root() / "workspace.yaml"
    if read is None or not file.exists():
        return None
    try:
        origins: list[CodeLocationOrigin] = read([str(file)])
    except Exception as error:  # whatever is wrong with the file, a run does not need it
        reason = str(error).partition("\n")[0]
        log.warning("workspace.yaml: %s; the UI counts this run to no job", reason)
        return None
    own = [origin for origin in origins if _loads_this_project(origin)]
    return (own or origins)[0] if own or len(origins) == 1 else None


def _loads_this_project(origin: "CodeLocationOrigin") -> bool:
    try:
        target = origin.loadable_target_origin
    except dg.DagsterInvariantViolationError:  # a server that was started by hand does not tell
        return False
    file = (target.python_file or "").replace("\\", "/")
    ours = module("orchestration.definitions")
    return target.module_name == ours or file.endswith(f"{ours.replace('.', '/')}.py")
