"""The plan that adds an asset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from polster_core.assets import env_file, naming, pipelines, pyproject
from polster_core.assets.copies import check_current
from polster_core.assets.resolve import ResolvedAsset
from polster_core.model.layers import AssetId, Layer
from polster_core.model.ownership import Owner, owner_of
from polster_core.plan.definition import Kind, Plan, draft, read
from polster_core.project import manifest
from polster_core.project.locate import Project
from polster_core.types import NewFile


def plan(project: Project, resolved: ResolvedAsset) -> Plan:
    """Plan the asset's files, its registration, and what its template adds to the project.

    Raises PolsterError for a name that is taken and for files that cannot be edited.
    """
    request = resolved.request
    asset, template = request.asset, request.template
    naming.check(project, asset)
    check_current(
        project, resolved.shared, origin=request.origin, distribution=request.distribution
    )
    wanted = [
        *resolved.files,
        *(file for file in resolved.shared if read(project.root / file.path) is None),
        *pyproject.added(
            project,
            resolved.requirements,
            template.runtime,
            origin=request.origin,
            needs=request.needs,
        ),
    ]
    handed = list(pipelines.with_secrets(project, resolved.env))
    plan = draft(
        project.root,
        [
            *wanted,
            *handed,
            *registered(project, asset),
            *([request.partitions.file] if request.partitions and request.partitions.file else []),
            *env_file.added(project, resolved.env, resolved.values),
            *_recorded(project, resolved, wanted, pipelines.untouched(project, handed)),
        ],
        command=f"add-asset {asset}",
    )
    return created_first(plan)


def _recorded(
    project: Project,
    resolved: ResolvedAsset,
    wanted: Iterable[NewFile],
    handed: Iterable[NewFile],
) -> Iterator[NewFile]:
    """Yield the note in `.polster/` of what is new and does not belong to the asset alone."""
    request, template = resolved.request, resolved.request.template
    known = manifest.find(project.root)
    new = [
        replace(file, origin=file.origin or request.origin)
        for file in wanted
        if owner_of(file.path) is not Owner.TEAM and read(project.root / file.path) is None
    ]
    new += handed
    packages = pyproject.gained(project, wanted)
    extras = new or packages or template.runtime or resolved.recorded
    if known is None or not extras:
        return
    secret = resolved.secrets
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


def _empty(layer: Layer) -> bytes:
    return f'"""The {layer} assets."""\n\n__all__: list[str] = []\n'.encode()
