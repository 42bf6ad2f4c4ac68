"""Add a storage backend, an executor or a deployment to a project that was made without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from polster_core import delivery
from polster_core.assets import env_file, pyproject
from polster_core.plan.definition import Plan, draft, read
from polster_core.plugins.calls import contributed_files
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import variables_of
from polster_core.plugins.secret_answers import Secret, is_secret, without
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.project.repository import folder_of
from polster_core.scaffold import additions
from polster_core.types import Deployment, Executor, NewFile, ProjectContext, StorageBackend

Later = StorageBackend | Executor | Deployment
"""What a project can get later."""


def plan(
    project: Project,
    plugins: Plugins,
    name: str,
    answers: Mapping[str, str] | None = None,
    kind: type[Later] = StorageBackend,
) -> Plan:
    """Plan a backend's files, its requirements, its variables, and the note of it in `.polster/`.

    `answers` are those to its options, by the names of the flags. A file that is there already
    stays as it is. Raises PolsterError where a file cannot be edited, and PluginError where the
    backend fails or there is none of that name.
    """
    backend, origin = plugins.choose(kind, name), plugins.owner(kind, name)
    given = {**_defaults(backend), **(answers or {})}
    secrets = _secrets(backend, origin, given)
    offered = _new(project, files(project, backend, origin, given))
    wanted = [
        *offered,
        *pyproject.added(
            project,
            backend.requirements,
            backend.runtime,
            origin=origin,
            needs=plugins.strangers([origin]),
        ),
        *env_file.added(project, backend.env, variables_of(backend, given)),
    ]
    told = without(_context(project, backend, given), secrets)
    wanted += additions.added(project, plugins, lambda _: told, [origin])
    if (known := manifest.find(project.root)) is not None:
        source = {origin: plugins.versions()[origin]}
        hidden = {one.flag for one in secrets}
        made = replace(
            known,
            answers={
                **known.answers,
                **{flag: text for flag, text in (answers or {}).items() if flag not in hidden},
            },
            plugins={**known.plugins, **source},
            requirements=(*known.requirements, *pyproject.gained(project, wanted)),
        )
        texts = [one.text for one in secrets]
        wanted += manifest.record(made, _new(project, wanted), root=project.root, secrets=texts)
    return draft(project.root, wanted, command=f"{kind.kind} add {name}")


def _new(project: Project, wanted: list[NewFile]) -> list[NewFile]:
    """Return those of the files that the project does not have yet."""
    return [file for file in wanted if read(project.root / file.path) is None]


def files(
    project: Project,
    backend: Later,
    origin: str,
    answers: Mapping[str, str] | None = None,
) -> list[NewFile]:
    """Return a backend's own files for a project; raises PluginError where it fails."""
    given = {**_defaults(backend), **(answers or {})}
    secrets = _secrets(backend, origin, given)
    return contributed_files(origin, backend, _context(project, backend, given), secrets)


def _defaults(backend: Later) -> dict[str, str]:
    return {
        f"{backend.name}-{option.name}": option.default
        for option in backend.options
        if option.default is not None
    }


def _secrets(backend: Later, origin: str, answers: Mapping[str, str]) -> list[Secret]:
    """Return what is secret among the answers; all of it is the backend's own."""
    flags = {f"{backend.name}-{option.name}": option for option in backend.options}
    return [
        Secret(
            flag=flag,
            plugin=origin,
            owner=f"{backend.kind} {backend.name}",
            variable=option.env,
            text=answers[flag],
        )
        for flag, option in flags.items()
        if answers.get(flag) and is_secret(option, backend.env)
    ]


def _context(project: Project, backend: Later, answers: Mapping[str, str]) -> ProjectContext:
    """Tell the backend what it would be told if the project were made with it."""
    known = manifest.find(project.root)
    values = variables_of(backend, answers)
    recorded = known.answers if known else {}
    return ProjectContext(
        name=known.name if known else project.name,
        storage=backend.name
        if isinstance(backend, StorageBackend)
        else recorded.get("storage", "local"),
        cicd=recorded.get("cicd", "none"),
        env=tuple(
            one if one.secret or one.name not in values else replace(one, default=values[one.name])
            for one in backend.env
        ),
        requirements=backend.requirements,
        runtime=(delivery.LOCAL, *backend.runtime),
        values={**{one.name: one.default for one in backend.env}, **values},
        answers={**recorded, **answers},
        delivery=pyproject.delivery_of(project),
        folder=folder_of(project.root),
    )
