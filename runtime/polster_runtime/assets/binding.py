"""What the files say about an asset."""

import ast
import hashlib
import inspect
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import polars as pl

from polster_runtime.assets.increments import is_marked, plan_of
from polster_runtime.config.paths import assets_dir, core_dir, module, project_root
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import FUNCTIONS, LAYERS, RESERVED
from polster_runtime.errors import AssetError

Function = Callable[..., Any]


def asset_of(function: Function) -> AssetId:
    """The asset that a function of src/core computes."""
    return AssetId.parse(source_file(function).stem)


def core_file(asset: AssetId) -> Path:
    """The file of an asset's function."""
    return core_dir() / f"{asset.whole}.py"


@cache
def source_file(function: Function) -> Path:
    """The file of src/core that a function stands in."""
    return Path(inspect.getfile(function)).resolve()


def function_of(asset: AssetId) -> Function:
    """The function of an asset: extract, transform or aggregate in its core file."""
    found: Function = getattr(import_module(module(f"core.{asset.whole}")), FUNCTIONS[asset.layer])
    return found


def find_function(asset: AssetId) -> Function | None:
    """The function of an asset; None for an @asset function, which has no core file."""
    if not core_file(asset).exists():
        return None
    return getattr(import_module(module(f"core.{asset.whole}")), FUNCTIONS[asset.layer], None)


@cache
def code_version(file: Path) -> str:
    """A short hash of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def declared_upstream(asset: AssetId) -> list[AssetId]:
    """The dependencies in the `deps=[...]` of an asset's Dagster file; for a partition, its own."""
    deps = _declared(asset, "deps")
    elements = deps.elts if isinstance(deps, ast.List | ast.Tuple) else []
    own = [one for one in elements if not isinstance(one, ast.Call)]  # AssetKey of another project
    found = [AssetId.parse(ast.literal_eval(one)) for one in own]
    if not asset.partition:
        return found
    return [one.at(asset.partition) if has_partitions(one) else one for one in found]


def has_partitions(asset: AssetId) -> bool:
    """Whether an asset has a Dagster file that says that it has partitions."""
    try:
        return _declared(asset, "partitions_def") is not None
    except FileNotFoundError:  # a function that is run without Dagster
        return False


def _declared(asset: AssetId, name: str) -> ast.expr | None:
    """What an asset's Dagster file says of something; None where it says nothing."""
    folder, file_name = assets_dir() / asset.layer, f"{asset.key}.py"
    file = folder / file_name
    if not file.exists():  # it may lie in a folder of its own
        file = min(folder.rglob(file_name), default=file)
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == name)
    return next((node.value for node in found), None)


def is_incremental(function: Function) -> bool:
    """Whether a function asks where the last run stopped, and yields only what is new."""
    return "position" in inspect.signature(function).parameters


def takes_partition(function: Function) -> bool:
    """Whether a function asks which partition it computes."""
    return "partition" in inspect.signature(function).parameters


def wants_all(function: Function, parameter: str) -> bool:
    """Whether a parameter is annotated as a DataFrame: all rows, not a LazyFrame."""
    annotation = function.__annotations__.get(parameter)
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    kind = get_origin(annotation) or annotation
    return kind == "pl.DataFrame" or (isinstance(kind, type) and issubclass(kind, pl.DataFrame))


def bind(function: Function, upstream: Sequence[AssetId]) -> dict[str, AssetId]:
    """The asset that each parameter reads: by its name, or the only one whatever it is called.

    Raises AssetError when parameters and dependencies do not match.
    """
    asset, takes_all = asset_of(function), inspect.signature(function).parameters
    if asset.layer == LAYERS[0] and is_marked(function):
        raise AssetError(
            f"{_where(function)}: New, Touched, Own, Append and Upsert are for silver and gold: a "
            "bronze asset that takes position adds what it yields, and a silver one with Touched "
            "makes the current rows of it"
        )
    plan = plan_of(function)
    parameters = [name for name in takes_all if name not in RESERVED and name != plan.own]
    if len(parameters) == len(upstream) == 1:
        return {parameters[0]: upstream[0]}
    by_name = {dependency.name: dependency for dependency in upstream}
    if set(parameters) == set(by_name):
        return by_name
    takes = f"{function.__name__}({', '.join(parameters)})"
    needs = ", ".join(by_name) or "none"
    raise AssetError(
        f"{_where(function)}: {takes} must take one parameter a dependency of {asset}: {needs}"
    )


def _where(function: Function) -> str:
    file = source_file(function).relative_to(project_root()).as_posix()
    return f"{file}:{function.__code__.co_firstlineno}"
