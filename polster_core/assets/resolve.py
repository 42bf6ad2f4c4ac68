"""What a request for an asset comes to, before anything is planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from polster_core.assets import files
from polster_core.assets.partitions import Partitions
from polster_core.model.layers import AssetId
from polster_core.model.ownership import Owner, owner_of
from polster_core.plugins.calls import call
from polster_core.plugins.secret_answers import Secret, is_secret, made_without_secrets
from polster_core.project.locate import Project
from polster_core.rendering.jinja import placed
from polster_core.rendering.python_source import docstring, one_line
from polster_core.types import AssetContext, AssetTemplate, EnvVar, NewFile

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class AssetRequest:
    """An asset that somebody wants, every choice made.

    `origin` is the template's plugin, `distribution` what that comes from, with its version, and
    `needs` what the project cannot do without from now on.
    """

    asset: AssetId
    template: AssetTemplate
    origin: str
    distribution: str = ""
    needs: tuple[str, ...] = ()
    dependencies: tuple[AssetId, ...] = ()
    description: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    partitions: Partitions | None = None


@dataclass(frozen=True, kw_only=True)
class ResolvedAsset:
    """A request, and all that its template says to it.

    `files` are the three of the asset itself, `shared` what the template writes besides them;
    `requirements` and `env` are what they need.
    """

    request: AssetRequest
    context: AssetContext
    files: tuple[NewFile, ...]
    shared: tuple[NewFile, ...]
    requirements: tuple[str, ...]
    env: tuple[EnvVar, ...]

    @property
    def secrets(self) -> set[str]:
        """The options of the template whose answers are secret."""
        return _secret_options(self.request)

    @property
    def values(self) -> dict[str, str]:
        """What was answered, by the variables that the answers are for."""
        answers, options = self.request.answers, self.request.template.options
        return {one.env: answers[one.name] for one in options if one.env and one.name in answers}

    @property
    def recorded(self) -> list[NewFile]:
        """What the template writes and upgrades look after."""
        return [file for file in self.shared if owner_of(file.path) is not Owner.TEAM]

    def look(self, project: Project) -> list[str]:
        """Return what the template tells of the data that the asset will read.

        Raises PluginError where the template fails.
        """
        look = partial(self.request.template.look, project.root)
        return _call(self.request, look, self.context, str)


def check(project: Project, request: AssetRequest) -> None:
    """Let the template refuse its answers. Raises PolsterError, and PluginError where it fails."""
    template, context = request.template, _context(project, request)

    def checked(given: AssetContext) -> Iterable[str]:
        template.check(given)
        return ()

    _call(request, checked, context, str)


def resolve(project: Project, request: AssetRequest) -> ResolvedAsset:
    """Ask the template once for all that the asset needs; raises PluginError where it fails."""
    context, template = _context(project, request), request.template
    usual = {file.path: file for file in map(placed, files.usual(context))}
    offered = [
        replace(placed(file), origin=file.origin or request.origin)
        for file in _without_secrets(request, context)
    ]
    own = {**usual, **{file.path: file for file in offered if file.path in usual}}
    packages = _call(request, template.requirements_of, context, str)
    variables = _call(request, template.env_of, context, EnvVar)
    return ResolvedAsset(
        request=request,
        context=context,
        files=tuple(replace(file, origin=file.origin or request.origin) for file in own.values()),
        shared=tuple({file.path: file for file in offered if file.path not in usual}.values()),
        requirements=(*template.requirements, *packages),
        env=(*template.env, *variables),
    )


def _context(project: Project, request: AssetRequest) -> AssetContext:
    description = one_line(request.description) or files.default_description(request.asset)
    parts = request.partitions
    return AssetContext(
        project=project.name,
        asset=request.asset,
        description=description,
        docstring=docstring(description, indent=1),
        dependencies=request.dependencies,
        parameters=tuple(map(files.parameter, request.dependencies)),
        answers=request.answers,
        partition=parts.key if parts else "",
        partitions_def=parts.text if parts else "",
        partitions_import=parts.import_line if parts else "",
        root=project.root,
    )


def _secret_options(request: AssetRequest) -> set[str]:
    return {one.name for one in request.template.options if is_secret(one, request.template.env)}


def _without_secrets(request: AssetRequest, context: AssetContext) -> list[NewFile]:
    """Return what the template writes; raises PluginError if it writes a secret."""
    own = [
        Secret(flag=name, plugin=request.origin, text=text)
        for name in sorted(_secret_options(request))
        if (text := request.answers.get(name))
    ]
    make = partial(_call, request, request.template.files, expected=NewFile)
    return made_without_secrets(make, context, own)


def _call(
    request: AssetRequest,
    function: Callable[[AssetContext], Iterable[Item]],
    context: AssetContext,
    expected: type[Item],
) -> list[Item]:
    return call(request.origin, request.template, function, context, expected)
