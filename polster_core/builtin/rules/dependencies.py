"""What assets depend on: declared against allowed, existing and actually taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from polster_core.model.diagnostics import Problem, ValidationRule
from polster_core.model.facts import Access, Core, Dependency, Form, Parameter
from polster_core.model.layers import RESERVED_PARAMETERS, AssetId, Layer
from polster_core.model.names import did_you_mean
from polster_core.model.pipeline import Asset, Pipeline

_SUGGESTIONS = 20
"""Missing assets for which the nearest existing one is looked up, which takes a while each."""
_IN_PATH = re.compile(r"(?<![a-z0-9])(bronze|silver|gold)[/\\_](\w+)")


def layer_order(pipeline: Pipeline) -> Iterator[Problem]:
    """Find dependencies that the layers do not allow, and silver and gold without any."""
    for asset in pipeline.assets:
        for dep in asset.deps:
            if dep.id and dep.id.layer is not asset.layer.upstream and dep.key != asset.key:
                message = f"{asset} depends on {dep.id}; {_may(asset)}"
                yield Problem.at(dep.place, message, hint=_instead(pipeline, asset, dep.id))
        definition = asset.definitions[0] if asset.definitions else None
        own = [dep for dep in definition.deps if not dep.elsewhere] if definition else []
        if definition and asset.layer.upstream and not own and not definition.unread:
            message = f"{asset} depends on nothing; {asset.layer} needs {asset.layer.upstream}"
            there = ", ".join(one.name for one in pipeline.in_layer(asset.layer.upstream)[:5])
            hint = f"{asset.layer.upstream} assets here: {there}" if there else ""
            yield Problem.at(definition.place, message, hint=hint)


def _may(asset: Asset) -> str:
    if asset.layer.upstream is None:
        return f"{asset.layer} may depend on nothing"
    return f"{asset.layer} may depend on {asset.layer.upstream} only"


def _instead(pipeline: Pipeline, asset: Asset, upstream: AssetId) -> str:
    """Name the asset of the right layer that stands between the two, if there is one."""
    if asset.layer.upstream is None:
        return "read the source itself, or make it a silver asset"
    between = AssetId(asset.layer.upstream, upstream.name)
    if between.key in pipeline.by_key:
        return f"depend on {between}"
    return f"put a {asset.layer.upstream} asset in between" if upstream.layer != asset.layer else ""


def phantoms(pipeline: Pipeline) -> Iterator[Problem]:
    """Find dependencies on assets that do not exist."""
    near: dict[str, str] = {}
    for asset in pipeline.assets:
        for dep in asset.deps:
            if dep.key in pipeline.by_key or dep.elsewhere:
                continue
            if dep.key not in near and len(near) < _SUGGESTIONS:
                near[dep.key] = did_you_mean(dep.key, pipeline.by_key).removeprefix(". ")
            message = f"{asset} depends on {dep.id or dep.key}, which no asset defines"
            yield Problem.at(dep.place, message, hint=near.get(dep.key, ""))


def repeated(pipeline: Pipeline) -> Iterator[Problem]:
    """Find dependencies that are listed twice."""
    for asset in pipeline.assets:
        seen: set[str] = set()
        for dep in asset.deps:
            if dep.key in seen:
                yield Problem.at(dep.place, f"{asset} lists {dep.id or dep.key} twice")
            seen.add(dep.key)


def cycles(pipeline: Pipeline) -> Iterator[Problem]:
    """Find assets that depend on themselves, directly or through others."""
    edges = {
        asset.key: {dep.key for dep in asset.deps if dep.key in pipeline.by_key}
        for asset in pipeline.assets
    }
    while circle := _circle(edges):
        names = [str(pipeline.by_key[key]) for key in circle]
        last, first = pipeline.by_key[circle[-2]], circle[-1]
        place = next(dep.place for dep in last.deps if dep.key == first)
        way = f": {' -> '.join(names)}" if len(names) > 2 else ""  # noqa: PLR2004 - a, b, a
        yield Problem.at(place, f"{names[0]} depends on itself{way}")
        edges[circle[-2]].discard(circle[-1])


def _circle(edges: Mapping[str, set[str]]) -> list[str]:
    """Return the keys along one cycle, each depending on the next, the first again at the end."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        keys: list[str] = error.args[1][-2::-1]
        start = keys.index(min(keys))
        return [*keys[start:], *keys[:start], keys[start]]
    return []


def undeclared(pipeline: Pipeline) -> Iterator[Problem]:
    """Find what a function takes or reads although its asset does not depend on it."""
    for asset in pipeline.assets:
        if asset.core is None or not _is_known(asset):
            continue
        yield from _extra_parameters(pipeline, asset, asset.core)
        declared = {dep.key for dep in asset.deps}
        for access in asset.core.accesses:
            for other in reached(pipeline, asset, access):
                if other.key not in declared:
                    yield Problem.at(
                        access.place,
                        f"{asset} reads {other} ({access.text}) and does not depend on it",
                        hint=f'add "{other.key}" to deps and take {other.name} as a parameter',
                    )


def _is_known(asset: Asset) -> bool:
    """Whether all that the asset depends on could be read."""
    return bool(asset.definitions) and not asset.definitions[0].unread


def reached(pipeline: Pipeline, asset: Asset, access: Access) -> Iterator[AssetId]:
    """Yield the other assets that an access gets at, by import or by a path with their name."""
    if access.asset is not None:
        yield access.asset
    for layer, name in _IN_PATH.findall(access.target):
        other = AssetId(Layer(layer), name)
        if other != asset.id and other.key in pipeline.by_key:
            yield other


def _extra_parameters(pipeline: Pipeline, asset: Asset, core: Core) -> Iterator[Problem]:
    """Yield the parameters that no dependency fills."""
    names = {dep.id.name for dep in asset.deps if dep.id}
    for parameter in core.parameters:
        if parameter.name == "partition" and not asset.definitions[0].partitions:
            message = f"{core.function}() takes partition, and {asset} has none"
            hint = "say which there are: partitions_def=... in its Dagster file"
            yield Problem.at(parameter.place, message, hint=hint)
    own = [one for one in core.parameters if not _is_filled_by_runtime(one)]
    if len(own) == len(asset.deps) == 1 and own[0].kind == "":
        return
    for parameter in own:
        called = f"{parameter.kind.strip('/')}{parameter.name}"
        if parameter.kind in {"*", "**"}:
            message = f"{core.function}() takes {called}; it must name each dependency"
            yield Problem.at(parameter.place, message)
        elif parameter.kind == "/":
            message = f"{called} can be given by position only; dependencies are given by name"
            yield Problem.at(parameter.place, message, hint="remove the / from the parameters")
        elif parameter.name not in names:
            yield Problem.at(
                parameter.place,
                f"{core.function}() takes {called}, which {asset} does not depend on",
                hint=_parameter_hint(pipeline, asset, parameter.name, names),
            )


def _is_filled_by_runtime(parameter: Parameter) -> bool:
    """Whether the runtime gives a parameter something else than the rows of a dependency."""
    own_rows = parameter.annotation.rpartition(".")[2] == "Own"
    return own_rows or parameter.name in RESERVED_PARAMETERS


def _parameter_hint(pipeline: Pipeline, asset: Asset, name: str, declared: set[str]) -> str:
    if asset.layer.upstream is None:
        return "extract() may take position only"
    wanted = AssetId(asset.layer.upstream, name)
    if wanted.key in pipeline.by_key:
        return f'add "{wanted.key}" to deps'
    taken = {one.name for one in asset.core.parameters} if asset.core else set()
    near = did_you_mean(name, declared - taken)
    return near.removeprefix(". ") or f"its dependencies are {', '.join(sorted(declared))}"


def unused(pipeline: Pipeline) -> Iterator[Problem]:
    """Find dependencies that are declared and that the function does not take."""
    for asset in pipeline.assets:
        core = asset.core
        if core is None or core.function is None or not _is_known(asset):
            continue
        taken = {one.name for one in core.parameters if not _is_filled_by_runtime(one)}
        if len(taken) == len(asset.deps) == 1 or any("*" in one.kind for one in core.parameters):
            continue
        for dep in asset.deps:
            if dep.id and dep.id.name not in taken and dep.id.layer is asset.layer.upstream:
                yield _unused(asset, core, dep)


def _unused(asset: Asset, core: Core, dep: Dependency) -> Problem:
    upstream = dep.id
    name = upstream.name if upstream else dep.key
    where = core.place.path if core.place else core.path
    line = core.place.line if core.place else 1
    what = "is an input" if dep.form in {Form.INPUT, Form.PARAMETER} else "is declared"
    return Problem.at(
        dep.place,
        f"{upstream} {what}, but {core.function}() in {where}:{line} does not take {name}",
        hint=f"take {name} as a parameter, or remove it from the dependencies of {asset}",
    )


RULES = (
    ValidationRule(
        name="layer-order",
        summary="Bronze depends on nothing, silver on bronze, gold on silver.",
        check=layer_order,
    ),
    ValidationRule(name="phantom-dependency", summary="Every dependency exists.", check=phantoms),
    ValidationRule(
        name="repeated-dependency", summary="A dependency is listed once.", check=repeated
    ),
    ValidationRule(name="cycle", summary="No asset depends on itself.", check=cycles),
    ValidationRule(
        name="undeclared-dependency",
        summary="A function takes and reads only what its asset depends on.",
        check=undeclared,
    ),
    ValidationRule(
        name="unused-dependency",
        summary="A function takes everything that its asset depends on.",
        check=unused,
    ),
)
