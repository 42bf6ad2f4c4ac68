"""What is read of other projects: their gold alone, and only what is still there."""

from __future__ import annotations

from collections.abc import Iterator

from polster_core.model.diagnostics import Problem, Severity, ValidationRule
from polster_core.model.facts import Dependency
from polster_core.model.layers import AssetId, Layer
from polster_core.model.names import did_you_mean
from polster_core.model.pipeline import Asset, Pipeline
from polster_core.project.others import Other, Others, source_of


def other_projects(pipeline: Pipeline) -> Iterator[Problem]:
    """Find dependencies on other projects that no layer allows, or that have gone."""
    others = Others()
    for asset in pipeline.assets:
        for dep in asset.deps:
            if dep.elsewhere:
                yield from _wrong(pipeline, others, asset, dep, *dep.elsewhere)


def _wrong(
    pipeline: Pipeline, others: Others, asset: Asset, dep: Dependency, prefix: str, wanted: AssetId
) -> Iterator[Problem]:
    if asset.layer is not Layer.BRONZE:
        message = f"{asset} depends on {dep.shown}; only bronze reads other projects"
        hint = f"polster add-asset --layer bronze --name {wanted.name} --template project"
        yield Problem.at(dep.place, message, hint=hint)
        return
    if wanted.layer is not Layer.GOLD:
        message = f"{asset} depends on {dep.shown}; of other projects only gold is read"
        yield Problem.at(dep.place, message)
        return
    source = source_of(pipeline.root, asset.id)
    if source is None or source.asset != str(wanted):
        message = f"{asset} depends on {dep.shown}, and reads {source.asset if source else 'none'}"
        hint = f'source = Project("{wanted}", "../{prefix}")  in {asset.id.core_file}'
        yield Problem.at(dep.place, message, hint=hint)
        return
    other = others.at(pipeline.root / source.folder)
    if other is None:
        message = f"there is no project in {source.folder}, which {asset} reads {wanted} of"
        hint = "check it out there, or say where it is"
        yield Problem.at(dep.place, message, severity=Severity.WARNING, hint=hint)
        return
    yield from _gone(pipeline, others, other, asset, dep, prefix, wanted)


def _gone(
    pipeline: Pipeline,
    others: Others,
    other: Other,
    asset: Asset,
    dep: Dependency,
    prefix: str,
    wanted: AssetId,
) -> Iterator[Problem]:
    if wanted not in {one.id for one in other.pipeline.assets}:
        there = [str(one) for one in other.pipeline.in_layer(Layer.GOLD)]
        near = did_you_mean(str(wanted), there).removeprefix(". ")
        hint = near or f"its gold assets are {', '.join(there) or 'none'}"
        message = f"{other.name} has no {wanted}, which {asset} reads"
        yield Problem.at(dep.place, message, hint=hint)
    elif other.key_prefix != prefix:
        now = f"begin with {other.key_prefix}/" if other.key_prefix else "have no prefix"
        message = f"{asset} depends on {dep.shown}, and the keys of {other.name} {now}"
        hint = f'deps=[dg.AssetKey(["{other.key_prefix or prefix}", "{wanted.key}"])]'
        yield Problem.at(dep.place, message, hint=hint)
    elif way := others.circle(pipeline.root, asset.id, wanted, other.root):
        yield Problem.at(dep.place, f"{asset} depends on itself: {' -> '.join(way)}")


def key_prefix(pipeline: Pipeline) -> Iterator[Problem]:
    """Find a key prefix that no key can begin with."""
    from pathlib import PurePosixPath

    from polster_core.model.names import KEY_PREFIX
    from polster_core.project.locate import Project

    found = Project(pipeline.root).settings.get("key-prefix", "")
    if found and not (isinstance(found, str) and KEY_PREFIX.fullmatch(found)):
        yield Problem(
            path=PurePosixPath("pyproject.toml"),
            message=f"[tool.polster] key-prefix = {found!r} is none that keys can begin with",
            hint="a word such as lake: letters, digits, - and _, and no layer",
        )


RULES = (
    ValidationRule(
        name="other-project",
        summary="Of other projects bronze reads gold that is there.",
        check=other_projects,
    ),
    ValidationRule(
        name="key-prefix",
        summary="The key prefix is a word that keys can begin with.",
        check=key_prefix,
    ),
)
