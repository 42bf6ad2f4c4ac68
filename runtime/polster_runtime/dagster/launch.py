"""Where the Dagster UI and the daemon find a job.

A run that carries this origin is like any that they start themselves: it counts to its job, the
timeline shows it, and it can be executed again.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from polster_runtime.config.paths import module, project_root
from polster_runtime.config.root import workspace
from polster_runtime.dagster import private
from polster_runtime.dagster.workspace import workspace_file

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
    file = workspace_file()
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
    folder, file = target.working_directory, (target.python_file or "").replace("\\", "/")
    if folder and workspace() and Path(folder).resolve() != project_root():
        return False  # another project of the workspace, whose module has the same name
    ours = module("orchestration.definitions")
    return target.module_name == ours or file.endswith(f"{ours.replace('.', '/')}.py")
