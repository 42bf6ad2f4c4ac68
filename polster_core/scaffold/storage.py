"""Add a storage backend to a project that was made without it."""

from __future__ import annotations

from dataclasses import replace

from polster_core.assets import env_file, pyproject
from polster_core.plan.definition import Plan, draft, read
from polster_core.plugins.calls import files_of
from polster_core.plugins.manager import Plugins
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.types import NewFile, ProjectContext, StorageBackend


def plan(project: Project, plugins: Plugins, name: str) -> Plan:
    """Plan a backend's files, its requirements, its variables, and the note of it in `.polster/`.

    A file that is there already stays as it is. Raises PolsterError where a file cannot be edited,
    and PluginError where the backend fails or there is none of that name.
    """
    backend, origin = plugins.choose(StorageBackend, name), plugins.owner(StorageBackend, name)
    offered = _new(project, files(project, backend, origin))
    wanted = [
        *offered,
        *pyproject.added(project, backend.requirements, backend.runtime, origin=origin),
        *env_file.added(project, backend.env),
    ]
    if (known := manifest.find(project.root)) is not None:
        source = {origin: plugins.versions()[origin]}
        made = replace(
            known,
            plugins={**known.plugins, **source},
            requirements=(*known.requirements, *pyproject.gained(project, wanted)),
        )
        wanted += manifest.record(made, _new(project, wanted), root=project.root)
    return draft(project.root, wanted, command=f"storage add {name}")


def _new(project: Project, wanted: list[NewFile]) -> list[NewFile]:
    """Return those of the files that the project does not have yet."""
    return [file for file in wanted if read(project.root / file.path) is None]


def files(project: Project, backend: StorageBackend, origin: str) -> list[NewFile]:
    """Return a backend's own files for a project; raises PluginError where it fails."""
    return [*files_of(origin, backend, _context(project, backend))]


def _context(project: Project, backend: StorageBackend) -> ProjectContext:
    """Tell the backend what it would be told if the project were made with it."""
    return ProjectContext(
        name=project.name,
        storage=backend.name,
        env=backend.env,
        requirements=backend.requirements,
        runtime=backend.runtime,
        values={variable.name: variable.default for variable in backend.env},
        answers={
            f"{backend.name}-{option.name}": option.default
            for option in backend.options
            if option.default is not None
        },
    )
