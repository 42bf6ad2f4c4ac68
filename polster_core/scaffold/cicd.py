"""Pipelines: platforms by either of their names, and pipelines for a project that exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from polster_core.assets import env_file, pyproject
from polster_core.environment import own_install
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model.names import did_you_mean
from polster_core.model.platforms import DEPLOYED, IMAGE, join, split
from polster_core.model.requirements import merge
from polster_core.plan.apply import apply
from polster_core.plan.definition import Kind, Plan, draft, read
from polster_core.plugins.calls import contributed_files
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import variables_of
from polster_core.plugins.secret_answers import secrets_in, without
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.project.repository import folder_of
from polster_core.scaffold import additions, repository_files
from polster_core.scaffold.project import each_once
from polster_core.types import CicdGenerator, Deployment, EnvVar, NewFile, ProjectContext

STORAGE_OF_PIPELINES = "cicd-storage"
"""The answer that says which storage the pipelines were written for: `.env` is not everywhere."""
_SECRET = re.compile(
    r"KEY|TOKEN|PASS|PWD|SECRET(?!S(_DIR)?$)|SAS|CREDENTIAL|CONNECTION|PRIVATE|_DSN|WEBHOOK"
)
"""Names of variables that nobody declares and that hold a secret; `ci/run.py` masks the same."""


_FOLDER = re.compile(r"[A-Za-z0-9._/-]*")
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
    project: Project,
    plugins: Plugins,
    names: Sequence[str],
    *,
    given: Mapping[str, str] | None = None,
    force: bool = False,
) -> Plan:
    """Plan the pipelines of platforms, and the note of them in `.polster/`.

    A guide that somebody has edited stays as it is, unless `force` says otherwise.

    `given` are answers to their options, by the names of the flags, with the schedule and the
    branch of the data; what is not given is as in an earlier pipeline. Raises PolsterError where a
    file cannot be edited, and PluginError where a generator fails.
    """
    known = manifest.find(project.root)
    generators = {name: plugins.choose(CicdGenerator, name) for name in names}
    answers = dict(known.answers if known else {})
    answers["cicd"] = join([answers.get("cicd", ""), *names])
    answers[STORAGE_OF_PIPELINES] = _storage(project, answers)
    answers |= given or {}
    if IMAGE in answers:
        answers[IMAGE] = _image(project, plugins, answers)
    secrets = secrets_in(plugins, answers)
    pipelines = generated(project, plugins, names, answers)
    above = generated(project, plugins, names, answers, in_repository=True)
    steps = repository_files.steps(project, above, known, force=force)
    if not force:
        kept = edited_guides(project, names)
        pipelines = [file for file in pipelines if file.path not in kept]
    owners = {name: plugins.owner(CicdGenerator, name) for name in generators}
    needed = merge(
        (f"the plugin {owners[name]}", text)
        for name, one in generators.items()
        for text in one.requirements
    )
    values = {
        variable: text
        for one in generators.values()
        for variable, text in variables_of(one, answers).items()
    }
    wanted = [
        *pipelines,
        *pyproject.added(
            project,
            needed,
            origin=" and ".join(owners.values()),
            needs=plugins.strangers(owners.values()),
            install=own_install.pinned(),
        ),
        *env_file.added(project, [new for one in generators.values() for new in one.env], values),
    ]
    told = without(_context(project, plugins, known, generators.values(), answers), secrets)
    parties = {*owners.values(), *_own(plugins)}
    wanted += additions.added(project, plugins, lambda _: told, parties)
    if known is not None:
        writers = {file.origin for file in pipelines}
        sources = {name: one for name, one in plugins.versions().items() if name in writers}
        hidden = {one.flag for one in secrets}
        noted = replace(
            known,
            answers={name: text for name, text in answers.items() if name not in hidden},
            plugins={**known.plugins, **sources},
            requirements=(*known.requirements, *pyproject.gained(project, wanted)),
            repository={**known.repository, **repository_files.digests(above)},
        )
        texts = [one.text for one in secrets]
        wanted += manifest.record(noted, pipelines, root=project.root, secrets=texts)
    return draft(project.root, wanted, steps=steps, command=f"add-cicd {' '.join(names)}")


def write_above(project: Project, plugins: Plugins, names: Sequence[str]) -> str:
    """Write the pipelines of a new project at the top of its repository; return their paths.

    Raises PolsterError for one that is there and not Polster's.
    """
    planned = plan(project, plugins, names)
    apply(planned)
    for step in planned.steps:
        step.run()
    return " and ".join(step.target for step in planned.steps) or "is there"


def _image(project: Project, plugins: Plugins, answers: Mapping[str, str]) -> str:
    """Return the deployment whose image is built, or nothing.

    Raises UsageProblem for one that there is not, and PolsterError where the project has none.
    """
    name = answers.get(IMAGE, "")
    if name in {"", "none"}:
        return ""
    plugins.choose(Deployment, name)
    if name not in split(answers.get(DEPLOYED, "")):
        raise PolsterError(
            f"the project is not deployed with {name} yet", hint=f"polster add-deploy {name}"
        )
    if not (project.root / "Dockerfile").is_file():
        raise PolsterError(
            f"{name} needs no image: there is no Dockerfile",
            hint="only what has one, such as docker and kubernetes, can be pushed",
        )
    return name


def _own(plugins: Plugins) -> list[str]:
    return [name for name in plugins.versions() if plugins.is_own(name)]


def generated(
    project: Project,
    plugins: Plugins,
    names: Sequence[str],
    answers: Mapping[str, str],
    *,
    in_repository: bool = False,
) -> list[NewFile]:
    """Return the files of pipelines, for a project with those answers.

    They are those in the project, or those at the top of the repository that it is in a folder of.

    Raises PluginError where a generator fails.
    """
    known = manifest.find(project.root)
    generators = {name: plugins.choose(CicdGenerator, name) for name in names}
    context = _context(project, plugins, known, generators.values(), answers)
    secrets = secrets_in(plugins, answers)
    made = each_once(
        file
        for name, generator in generators.items()
        for file in contributed_files(
            plugins.owner(CicdGenerator, name), generator, context, secrets
        )
    )
    return [file for file in made if file.in_repository is in_repository]


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


def edited_guides(project: Project, names: Iterable[str]) -> list[PurePosixPath]:
    """Return the guides of platforms that are there and not as Polster once wrote them."""
    known = manifest.find(project.root)
    entries = known.files if known else {}
    guides = (PurePosixPath("docs/cicd", f"{name}.md") for name in names)
    there = {path: read(project.root / path) for path in guides}
    return [
        path
        for path, content in there.items()
        if content is not None and not _is_pristine(entries.get(path), content)
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
    """Tell the generators what the project's files say about it.

    Raises PolsterError for a folder whose name YAML, a shell or a filter of paths could misread.
    """
    if not _FOLDER.fullmatch(folder := folder_of(project.root)):
        raise PolsterError(
            f"the project is in {folder!r}, which pipelines cannot name",
            hint="rename the folder: letters, digits, `-`, `_`, `.` and `/`",
        )
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
        requirements=merge(
            (generator.name, text) for generator in generators for text in generator.requirements
        ),
        values={
            variable: text
            for generator in generators
            for variable, text in variables_of(generator, {**options, **answers}).items()
        },
        delivery=pyproject.delivery_of(project),
        folder=folder,
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
