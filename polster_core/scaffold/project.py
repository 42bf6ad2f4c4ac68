"""Collect the files of a new project from everyone who contributes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath

from polster_core import delivery
from polster_core.assets import pyproject
from polster_core.delivery import Delivery
from polster_core.errors import PluginError
from polster_core.model import layout
from polster_core.model.platforms import NONE, split
from polster_core.model.requirements import merge
from polster_core.plan import conflicts
from polster_core.plugins.calls import contributed_files
from polster_core.plugins.manager import Plugins
from polster_core.plugins.options import Flag, flags
from polster_core.plugins.origin import OWN
from polster_core.plugins.secret_answers import (
    Secret,
    is_secret,
    made_without_secrets,
    secret_flags,
    secrets_in,
    without,
)
from polster_core.project import manifest
from polster_core.rendering.context import REQUIREMENTS
from polster_core.rendering.jinja import placed
from polster_core.scaffold import pages
from polster_core.scaffold.additions import with_additions
from polster_core.types import (
    CicdGenerator,
    Contribution,
    Executor,
    NewFile,
    ProjectContext,
    StorageBackend,
)

_SKELETON = "project"


@dataclass(frozen=True, kw_only=True)
class ProjectRequest:
    """What somebody wants: every choice made, every answer given or defaulted.

    `cicd` may name several platforms, separated by commas; `delivery` says whether the project
    holds its runtime as code or depends on it. `added` are contributions, each with its plugin,
    that the project got later: their requirements and parts of the runtime count, too. `folder` is
    where in its repository the project is; the pipelines at the top of it are not among the files.
    `executor` is what can run steps on other machines; "" is none.
    """

    name: str
    storage: str
    cicd: str = NONE
    delivery: Delivery = "vendored"
    answers: Mapping[str, str] = field(default_factory=dict)
    added: tuple[tuple[str, Contribution], ...] = ()
    folder: str = ""
    executor: str = ""


def files(plugins: Plugins, request: ProjectRequest) -> list[NewFile]:
    """Return all files of a new project, `.polster/` included; raises PluginError."""
    found = generated(plugins, request)
    chosen = {plugin for plugin, _ in _chosen(plugins, request)}
    secret = {flag.name for flag in secret_flags(plugins)}
    made = manifest.Manifest(
        name=request.name,
        answers={
            "storage": request.storage,
            "cicd": request.cicd,
            "runtime": request.delivery,
            **({"executor": request.executor} if request.executor else {}),
            **{name: answer for name, answer in request.answers.items() if name not in secret},
        },
        plugins=_writers(plugins, found, chosen),
    )
    secrets = [request.answers[name] for name in secret if name in request.answers]
    return [*found, *manifest.record(made, found, secrets=secrets)]


def generated(plugins: Plugins, request: ProjectRequest) -> list[NewFile]:
    """Return the files that Polster and its plugins generate for a project.

    A plugin that nobody asked for and that fails or conflicts contributes nothing, and is
    noted as broken. Raises PluginError if one that was asked for fails.
    """
    chosen = list(_chosen(plugins, request))
    context = _context(plugins, request, chosen)
    secrets = secrets_in(plugins, request.answers)
    found = [
        *_package(),
        *_runtime([*chosen, *request.added], request),
        *each_once(
            placed(file)
            for plugin, one in chosen
            for file in contributed_files(plugin, one, context, secrets)
            if not file.in_repository
        ),
    ]
    for name, answer in _project_files(plugins, context, secrets).items():
        offered = [replace(placed(file), origin=file.origin or name) for file in answer]
        if not plugins.is_own(name) and (problems := conflicts.of_paths([*found, *offered])):
            plugins.blame(name, problems[0])
            continue
        found += offered
    _insist_on_own(plugins, found)
    _refuse_collisions(plugins, found)
    found = with_additions(plugins, found, _known_to(plugins, context, secrets))
    parties = {plugin for plugin, _ in (*chosen, *request.added)}
    named = _naming_plugins(found, plugins.strangers({*parties, *(f.origin for f in found)}))
    return [*pages.beside_kept(named, request.answers)]


def _project_files(
    plugins: Plugins, context: ProjectContext, secrets: Sequence[Secret]
) -> dict[str, list[NewFile]]:
    """Ask for the files of every project."""

    def ask(given: ProjectContext) -> dict[str, list[NewFile]]:
        return plugins.project_files(_known_to(plugins, given, secrets))

    def ask_one(name: str, given: ProjectContext) -> list[NewFile]:
        return ask(given).get(name, [])

    found = ask(context)
    for name in found:
        own = [one for one in secrets if one.plugin == name and not one.owner]
        if own and not plugins.is_own(name):
            made_without_secrets(partial(ask_one, name), context, own)
    return found


def _known_to(
    plugins: Plugins, context: ProjectContext, secrets: Sequence[Secret]
) -> Callable[[str], ProjectContext]:
    """Return what a plugin may know; the skeleton, which writes `.env`, knows all secrets."""

    def known(plugin: str) -> ProjectContext:
        if plugin == _SKELETON and plugins.is_own(plugin):
            return context
        return without(context, [one for one in secrets if one.owner or one.plugin != plugin])

    return known


def relevant(plugins: Plugins, storage: str, pipelines: str) -> list[Flag]:
    """Return the flags that count for these choices."""
    chosen = {
        (StorageBackend, storage),
        *((CicdGenerator, name) for name in split(pipelines)),
    }
    return [
        flag
        for flag in flags(plugins)
        if flag.contribution is None or (flag.kind, flag.contribution) in chosen
    ]


def _chosen(plugins: Plugins, request: ProjectRequest) -> Iterator[tuple[str, Contribution]]:
    """Yield what was chosen by name, each with its plugin."""
    storage = plugins.choose(StorageBackend, request.storage)
    yield plugins.owner(StorageBackend, request.storage), storage
    for name in split(request.cicd):
        generator = plugins.choose(CicdGenerator, name)
        yield plugins.owner(CicdGenerator, name), generator
    if name := request.executor:
        yield plugins.owner(Executor, name), plugins.choose(Executor, name)


def _context(
    plugins: Plugins, request: ProjectRequest, chosen: Sequence[tuple[str, Contribution]]
) -> ProjectContext:
    env = {variable.name: variable for _, known in chosen for variable in known.env}
    values = {name: variable.default for name, variable in env.items()}
    for flag in relevant(plugins, request.storage, request.cicd):
        answer, variable = request.answers.get(flag.name), env.get(flag.option.env)
        if answer is not None and variable is not None:
            values[variable.name] = answer
            if not is_secret(flag.option, [variable]):
                env[variable.name] = replace(variable, default=answer)
    every = [*chosen, *request.added]
    return ProjectContext(
        name=request.name,
        storage=request.storage,
        cicd=request.cicd,
        answers=request.answers,
        env=tuple(env.values()),
        requirements=_required(every, request.delivery),
        values=values,
        runtime=(delivery.LOCAL, *(part for _, known in every for part in known.runtime)),
        delivery=request.delivery,
        folder=request.folder,
    )


def _required(every: Sequence[tuple[str, Contribution]], how: Delivery) -> tuple[str, ...]:
    """Unite what plugins require; raises PluginError where that cannot be had with the rest."""
    added = [(f"the plugin {plugin}", text) for plugin, one in every for text in one.requirements]
    if how == "package":
        parts = [(plugin, part) for plugin, one in every for part in one.runtime]
        own = [(f"the plugin {who}", part.requirement) for who, part in parts if part.requirement]
        merge([*_of_polster(how), *own, *added])
    else:
        merge([*_of_polster(how), *added])
    return merge(added)


def _of_polster(how: Delivery) -> Iterator[tuple[str, str]]:
    yield from (("Polster", text) for text in REQUIREMENTS)
    if how == "package":
        yield "Polster", delivery.requirement()


def _package() -> Iterator[NewFile]:
    """Yield what makes a package of the folder that the code lies in."""
    if (used := layout.current()).package:
        text = '"""A data pipeline: the functions of its assets, and their Dagster side."""\n'
        yield NewFile(path=used.source / "__init__.py", text=text, origin=_SKELETON)


def _runtime(
    chosen: Iterable[tuple[str, Contribution]], request: ProjectRequest
) -> Iterator[NewFile]:
    """Yield the runtime and the parts of what was chosen, where the project shall hold them."""
    if request.delivery == "vendored":
        files = {file.path: file for file in delivery.files()}
        for plugin, contribution in chosen:
            for file in delivery.part_files(contribution.runtime):
                files.setdefault(file.path, replace(file, origin=file.origin or plugin))
        yield from files.values()


def each_once(generated: Iterable[NewFile]) -> list[NewFile]:
    """Drop a file that an earlier one is the same as: pipelines of two platforms share some."""
    return list({(file.path, file.content): file for file in reversed([*generated])}.values())[::-1]


def _insist_on_own(plugins: Plugins, generated: Iterable[NewFile]) -> None:
    """Raise PluginError if what no project can do without is not there."""
    for info in plugins.broken:
        if info.distribution == OWN:
            raise PluginError(
                f"Polster's own plugin {info.name} failed: {info.problem}"
            ) from plugins.cause(info.name)
    if PurePosixPath("pyproject.toml") not in {file.path for file in generated}:
        raise PluginError(
            f"the plugin {_SKELETON} is disabled, and nothing can be written without it",
            hint="take it out of POLSTER_DISABLE_PLUGINS",
        )


def _naming_plugins(generated: Sequence[NewFile], needs: Sequence[str]) -> list[NewFile]:
    """Let `pyproject.toml` name the plugins that have a part in the project."""
    return [
        replace(file, text=pyproject.with_plugins(file.content, needs))
        if needs and file.path == pyproject.PATH
        else file
        for file in generated
    ]


def _refuse_collisions(plugins: Plugins, generated: Iterable[NewFile]) -> None:
    """Raise PluginError if what was chosen wants a file that somebody else writes."""
    if problems := conflicts.of_paths(generated):
        strangers = sorted({f.origin for f in generated if not plugins.is_own(f.origin)})
        who = f"the plugin {' or '.join(strangers)} conflicts: " if strangers else ""
        raise PluginError(
            f"{who}{problems[0]}",
            details=problems[1:],
            hint="nothing was changed; choose another one, or see  polster plugins",
        )


def _writers(plugins: Plugins, generated: Iterable[NewFile], chosen: set[str]) -> dict[str, str]:
    """Return the plugins that were chosen or wrote something, with their distributions."""
    origins = {file.origin for file in generated} | chosen
    return {name: source for name, source in plugins.versions().items() if name in origins}
