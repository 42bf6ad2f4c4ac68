"""The plan that adds an asset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TypeVar

from polster_core.assets import env_file, files, naming, pyproject
from polster_core.model.layers import AssetId, Layer
from polster_core.model.ownership import Owner, owner_of
from polster_core.plan.definition import Kind, Plan, draft, read
from polster_core.plugins.calls import call
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.rendering.python_source import docstring, one_line
from polster_core.types import AssetContext, AssetTemplate, EnvVar, NewFile

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Request:
    """An asset that somebody wants, everything settled.

    `origin` is the template's plugin, `distribution` what that comes from, with its version.
    """

    asset: AssetId
    template: AssetTemplate
    origin: str
    distribution: str = ""
    dependencies: tuple[AssetId, ...] = ()
    description: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)


def plan(project: Project, request: Request) -> Plan:
    """Plan the asset's files, its registration, and what its template adds to the project.

    Raises PolsterError for a name that is taken and for files that cannot be edited, PluginError
    where the template fails.
    """
    naming.check(project, request.asset)
    context, template = _context(project, request), request.template
    generated = {file.path: file for file in files.usual(context)}
    for file in _call(request, template.files, context, NewFile):
        usual = generated.get(file.path)
        if usual is not None or read(project.root / file.path) is None:
            generated[file.path] = file
    packages = _call(request, template.requirements_of, context, str)
    wanted = [
        *(replace(file, origin=file.origin or request.origin) for file in generated.values()),
        *pyproject.added(project, [*template.requirements, *packages], template.runtime),
    ]
    plan = draft(
        project.root,
        [
            *wanted,
            *registered(project, request.asset),
            *env_file.added(project, variables(project, request)),
            *_recorded(project, request, wanted),
        ],
        command=f"add-asset {request.asset}",
    )
    return created_first(plan)


def shared_files(project: Project, request: Request) -> list[NewFile]:
    """Return what the template writes besides the asset; raises PluginError where it fails."""
    offered = _call(request, request.template.files, _context(project, request), NewFile)
    return [
        replace(file, origin=file.origin or request.origin)
        for file in offered
        if owner_of(file.path) is not Owner.TEAM
    ]


def _recorded(project: Project, request: Request, wanted: list[NewFile]) -> Iterator[NewFile]:
    """Yield the note in `.polster/` of what is new and does not belong to the asset alone."""
    known = manifest.find(project.root)
    new = [
        replace(file, origin=file.origin or request.origin)
        for file in wanted
        if owner_of(file.path) is not Owner.TEAM and read(project.root / file.path) is None
    ]
    template, packages = request.template, pyproject.gained(project, wanted)
    extras = new or packages or template.runtime or shared_files(project, request)
    if known is None or not extras:
        return
    secret = {option.name for option in template.options if option.secret}
    answers = {name: one for name, one in request.answers.items() if name not in secret}
    use = manifest.TemplateUse(asset=request.asset.stem, answers=answers)
    distribution = {request.origin: request.distribution} if request.distribution else {}
    made = replace(
        known,
        plugins={**known.plugins, **distribution},
        templates={template.name: use, **known.templates},
        requirements=(*known.requirements, *packages),
    )
    hidden = [request.answers[name] for name in secret if name in request.answers]
    yield from manifest.record(made, new, root=project.root, secrets=hidden)


def variables(project: Project, request: Request) -> list[EnvVar]:
    """Return what the asset reads from the environment; raises PluginError."""
    context, template = _context(project, request), request.template
    return [*template.env, *_call(request, template.env_of, context, EnvVar)]


def look(project: Project, request: Request) -> list[str]:
    """Return what the template tells of the data that the asset will read; raises PluginError."""
    context = _context(project, request)
    return _call(request, partial(request.template.look, project.root), context, str)


def registered(project: Project, asset: AssetId) -> Iterator[NewFile]:
    """Yield the layer's `__init__.py` with the asset in it."""
    from polster_core.edit import CannotEditError, register

    path = asset.layer.init_file
    before = read(project.root / path)
    try:
        yield NewFile(path=path, text=register(before or _empty(asset.layer), asset))
    except CannotEditError as error:
        raise error.at(path) from error


def created_first(plan: Plan) -> Plan:
    """Show what is new before what changes."""
    changes = sorted(plan.changes, key=lambda change: (change.kind is Kind.UPDATE, change.path))
    return replace(plan, changes=tuple(changes))


def _context(project: Project, request: Request) -> AssetContext:
    description = one_line(request.description) or files.default_description(request.asset)
    return AssetContext(
        project=project.name,
        asset=request.asset,
        description=description,
        docstring=docstring(description, indent=1),
        dependencies=request.dependencies,
        parameters=tuple(map(files.parameter, request.dependencies)),
        answers=request.answers,
    )


def _call(
    request: Request,
    function: Callable[[AssetContext], Iterable[Item]],
    context: AssetContext,
    expected: type[Item],
) -> list[Item]:
    return call(request.origin, request.template, function, context, expected)


def _empty(layer: Layer) -> bytes:
    return f'"""The {layer} assets."""\n\n__all__: list[str] = []\n'.encode()


__all__ = [
    "PurePosixPath",
    "Request",
    "created_first",
    "look",
    "plan",
    "registered",
    "shared_files",
    "variables",
]
