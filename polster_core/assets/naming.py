"""Which name a new asset may have in a project."""

from __future__ import annotations

from polster_core.assets.index import definition, namesake
from polster_core.errors import PolsterError, UsageProblem
from polster_core.model.layers import AssetId, Layer
from polster_core.model.names import asset_name_problem, check_asset_name
from polster_core.project.locate import Project


def check(project: Project, asset: AssetId) -> None:
    """Raise UsageProblem for a bad name, PolsterError for one that is taken."""
    if (bare := _without_layer(asset.name)) != asset.name:
        raise UsageProblem(
            f"{asset.name} names the layer, which is added anyway",
            hint=f"for example  {bare or 'orders'}",
        )
    check_asset_name(asset.name)
    for path in (asset.core_file, asset.asset_file, asset.test_file):
        if taken := namesake(project, path):
            case = ", and some disks do not tell upper from lower case" if taken != path else ""
            raise PolsterError(f"{asset} exists already: {taken}{case}", hint="choose another name")
    if elsewhere := definition(project, asset):
        raise PolsterError(f"{asset} exists already: {elsewhere}", hint="choose another name")


def problem(project: Project, layer: Layer, name: str) -> str | None:
    """Say what is wrong with a name that somebody types; `None` if nothing is."""
    if found := asset_name_problem(name):
        return found
    try:
        check(project, AssetId(layer, name))
    except PolsterError as error:
        return error.reason
    return None


def _without_layer(name: str) -> str:
    bare = name.removeprefix("run_")
    for layer in Layer:
        if bare.startswith(f"{layer}_"):
            return bare.removeprefix(f"{layer}_")
    return name
