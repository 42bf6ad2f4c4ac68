"""What a new asset may depend on, and what somebody meant by a dependency."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from polster_core.errors import PolsterError, UsageProblem
from polster_core.model.layers import AssetId, requirement
from polster_core.model.pipeline import AssetNameError, Pipeline

_SHOWN = 10
_RAW = re.compile(r"^(raw|source|src|landing)_(?=[a-z])")


def candidates(pipeline: Pipeline, asset: AssetId) -> tuple[AssetId, ...]:
    """Return what the asset may depend on."""
    upstream = asset.layer.upstream
    return tuple(one.id for one in pipeline.in_layer(upstream)) if upstream else ()


def of_same_name(pipeline: Pipeline, asset: AssetId) -> AssetId | None:
    """Return the upstream asset that has the asset's name."""
    return next((one for one in candidates(pipeline, asset) if one.name == asset.name), None)


def missing(pipeline: Pipeline, asset: AssetId) -> PolsterError:
    """Return the error that says that the asset needs dependencies, and which there are."""
    upstream = asset.layer.upstream
    return UsageProblem(
        f"{asset.layer} assets need at least one {upstream} asset: missing option `--dependencies`",
        hint=_here(pipeline, asset),
    )


def resolve(pipeline: Pipeline, asset: AssetId, texts: Sequence[str]) -> tuple[AssetId, ...]:
    """Return the assets that the texts name.

    Raises UsageProblem for what the layers do not allow, for what is listed twice and for the asset
    itself, and AssetNameError for what does not exist.
    """
    if not texts:
        return ()
    if asset.layer.upstream is None:
        raise UsageProblem(requirement(asset.layer), hint="leave out --dependencies")
    found: list[AssetId] = []
    for text in texts:
        one = _resolve(pipeline, asset, text)
        if one in found:
            raise UsageProblem(f"{one.name} is listed twice in --dependencies")
        found.append(one)
    return tuple(found)


def _resolve(pipeline: Pipeline, asset: AssetId, text: str) -> AssetId:
    if text in {asset.stem, asset.key}:
        raise UsageProblem(f"{asset} cannot depend on itself", hint=_here(pipeline, asset))
    if pipeline.candidates(text, layer=asset.layer.upstream):
        return pipeline.resolve(text, layer=asset.layer.upstream).id
    if elsewhere := pipeline.candidates(text):
        other = elsewhere[0].id
        raise UsageProblem(
            f"{requirement(asset.layer)}; {other.name} is {other.layer}",
            hint=_instead(pipeline, asset, other),
        )
    try:
        return pipeline.resolve(text, layer=asset.layer.upstream).id
    except AssetNameError as error:
        raise UsageProblem(error.reason, hint=_here(pipeline, asset)) from error


def _instead(pipeline: Pipeline, asset: AssetId, other: AssetId) -> str:
    """Say how to get from the layer of `asset` to `other` where one layer lies between them."""
    upstream = asset.layer.upstream
    if upstream is None or upstream.upstream is not other.layer:
        return _here(pipeline, asset)
    between = AssetId(upstream, _RAW.sub("", other.name))
    if between.key in pipeline.by_key:
        return f"{between} may be what you want"
    return (
        f"add a {upstream} asset on top of it:  polster add-asset --layer {upstream} "
        f"--name {between.name} --dependencies {other.name}"
    )


def _here(pipeline: Pipeline, asset: AssetId) -> str:
    upstream, names = asset.layer.upstream, [one.name for one in candidates(pipeline, asset)]
    if not names:
        return (
            f"there is no {upstream} asset yet:  polster add-asset --layer {upstream} --name NAME"
        )
    return f"{upstream} assets here: {listed(names)}"


def listed(names: Iterable[str]) -> str:
    """Return names with commas between them, and how many more there are after the tenth."""
    every = list(names)
    more = len(every) - _SHOWN
    return ", ".join(islice(every, _SHOWN)) + (f" and {more} more" if more > 0 else "")
