"""Pipelines: platforms by either of their names, and pipelines for a project that exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from polster_core.assets import env_file, pyproject
from polster_core.errors import UsageProblem
from polster_core.model.names import did_you_mean
from polster_core.model.platforms import join
from polster_core.plan.definition import Kind, Plan, draft
from polster_core.plugins.calls import files_of
from polster_core.plugins.manager import Plugins
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.rendering.context import merged
from polster_core.scaffold.project import each_once
from polster_core.types import CicdGenerator, EnvVar, NewFile, ProjectContext

STORAGE_OF_PIPELINES = "cicd-storage"
"""The answer that says which storage the pipelines were written for: `.env` is not everywhere."""
_SECRET = re.compile(r"KEY|TOKEN|PASS|PWD|SECRET|SAS|CREDENTIAL|CONNECTION|PRIVATE|_DSN|WEBHOOK")
"""Names of variables that nobody declares and that hold a secret; `ci/run.py` masks the same."""


_SHORT = {"azure": "azure-devops"}
"""What people type for a host."""


def named(plugins: Plugins, typed: str) -> str:
    """Return the platform that somebody means: `github` is `github-actions`, `azure` Azure DevOps.

    Raises UsageProblem with the nearest name, and PluginError where its plugin is broken.
    """
    offers = plugins.cicd_generators()
    hosts = {offer.host: name for name, offer in offers.items() if offer.host}
    meant = _SHORT.get(typed, typed)
    if typed not in offers and meant in hosts:
        return hosts[meant]
    try:
        plugins.choose(CicdGenerator, typed)
    except UsageProblem as error:
        near = did_you_mean(typed, [*offers, *hosts])
        raise UsageProblem(f"there is no cicd {typed}{near}", hint=error.hint) from error
    return typed


def plan(
    project: Project, plugins: Plugins, names: Sequence[str], *, schedule: str | None = None
) -> Plan:
    """Plan the pipelines of platforms, and the note of them in `.polster/`.

    The schedule is the one given, or that of an earlier pipeline. Raises PolsterError where a file
    cannot be edited, and PluginError where a generator fails.
    """
    known = manifest.find(project.root)
    generators = {name: plugins.choose(CicdGenerator, name) for name in names}
    answers = dict(known.answers if known else {})
    answers["cicd"] = join([answers.get("cicd", ""), *names])
    answers[STORAGE_OF_PIPELINES] = _storage(project, answers)
    if schedule:
        answers["schedule"] = schedule
    pipelines = generated(project, plugins, names, answers)
    needed = merged(text for one in generators.values() for text in one.requirements)
    wanted = [
        *pipelines,
        *pyproject.added(project, needed),
        *env_file.added(project, [new for one in generators.values() for new in one.env]),
    ]
    if known is not None:
        writers = {file.origin for file in pipelines}
        sources = {name: one for name, one in plugins.versions().items() if name in writers}
        noted = replace(
            known,
            answers=answers,
            plugins={**known.plugins, **sources},
            requirements=(*known.requirements, *pyproject.gained(project, wanted)),
        )
        wanted += manifest.record(noted, pipelines, root=project.root)
    return draft(project.root, wanted, command=f"add-cicd {' '.join(names)}")


def generated(
    project: Project, plugins: Plugins, names: Sequence[str], answers: Mapping[str, str]
) -> list[NewFile]:
    """Return the files of pipelines, for a project with those answers.

    Raises PluginError where a generator fails.
    """
    known = manifest.find(project.root)
    generators = {name: plugins.choose(CicdGenerator, name) for name in names}
    context = _context(project, plugins, known, generators.values(), answers)
    return each_once(
        file
        for name, generator in generators.items()
        for file in files_of(plugins.owner(CicdGenerator, name), generator, context)
    )


def edited(project: Project, planned: Plan) -> list[PurePosixPath]:
    """Return the files that the plan would change and that are not as Polster once wrote them."""
    known = manifest.find(project.root)
    entries = known.files if known else {}
    return [
        change.path
        for change in planned
        if change.kind is Kind.UPDATE
        and change.origin != "polster"
        and not _is_pristine(entries.get(change.path), change.before)
    ]


def _is_pristine(entry: manifest.Entry | None, content: bytes | None) -> bool:
    return entry is not None and entry.digest == manifest.digest(content or b"")


def _context(
    project: Project,
    plugins: Plugins,
    known: manifest.Manifest | None,
    generators: Iterable[CicdGenerator],
    answers: Mapping[str, str],
) -> ProjectContext:
    """Tell the generators what the project's files say about it."""
    examples = env_file.values(project, ".env.example")
    undeclared = {
        name: EnvVar(name=name, help="", secret=True) for name in examples if _SECRET.search(name)
    }
    declared = {
        variable.name: variable if variable.secret else replace(variable, default=default)
        for variable in _known_variables(plugins)
        if (default := examples.get(variable.name)) is not None
    }
    env = {**undeclared, **declared}
    options = {
        f"{generator.name}-{option.name}": option.default
        for generator in generators
        for option in generator.options
        if option.default is not None
    }
    return ProjectContext(
        name=known.name if known else project.name,
        storage=answers.get(STORAGE_OF_PIPELINES) or answers.get("storage") or "local",
        cicd=answers["cicd"],
        answers={**options, **answers},
        env=tuple(env.values()),
    )


def _storage(project: Project, answers: Mapping[str, str]) -> str:
    """Return where the project keeps its data, as its settings say here and now."""
    given = {**env_file.values(project, ".env.example"), **env_file.values(project, ".env")}
    return given.get("STORAGE_BACKEND") or answers.get("storage") or "local"


def _known_variables(plugins: Plugins) -> Iterator[EnvVar]:
    """Yield the variables that contributions declare."""
    for offers in (
        plugins.storage_backends(),
        plugins.cicd_generators(),
        plugins.asset_templates(),
    ):
        for offer in offers.values():
            yield from offer.env
