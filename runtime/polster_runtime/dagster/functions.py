"""@asset functions that take and return frames, as members of the layers.

`@asset def silver_users(bronze_events)` is silver_users like any other: its frame is stored as a
snapshot, and its parameters are the assets of their names. Either may be called with `run_` or
without, there and where another asset depends on it.
"""

import inspect
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import dagster as dg
import polars as pl

from polster_runtime.dagster import private
from polster_runtime.dagster.asset_keys import asset_of_key, with_prefix
from polster_runtime.dagster.automation import ON_UPSTREAM_SUCCESS
from polster_runtime.dagster.io_manager import KEY
from polster_runtime.dagster.links import with_link
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import LAYERS

DEFAULT_KEY, DEFAULT_GROUP = "io_manager", "default"
FRAMES = (pl.DataFrame, pl.LazyFrame)


def as_members(
    assets: Sequence[dg.AssetsDefinition], layer_packages: Iterable[ModuleType]
) -> tuple[list[dg.AssetsDefinition], list[dg.AssetsDefinition]]:
    """The assets of the layers, and those of other modules that belong to none.

    Their dependencies have the keys that are defined, and frames become snapshots. What stands in
    the package of a layer counts as an asset of the layers, whatever its key.
    """
    keys = {asset: key for one in assets for key in one.keys if (asset := asset_of_key(key))}
    values = (value for package in layer_packages for value in vars(package).values())
    strict = {
        with_prefix(key)
        for one in values
        if isinstance(one, dg.AssetsDefinition)
        for key in one.keys
    }
    ours, others = list[dg.AssetsDefinition](), list[dg.AssetsDefinition]()
    for one in assets:
        is_ours = any(key in strict or asset_of_key(key) for key in one.keys)
        (ours if is_ours else others).append(_as_member(one, keys))
    return ours, others


def _as_member(one: dg.AssetsDefinition, keys: dict[AssetId, dg.AssetKey]) -> dg.AssetsDefinition:
    others = {
        key: keys[asset]
        for key in one.dependency_keys
        if (asset := asset_of_key(key) or asset_of_key(with_prefix(key))) in keys
        and keys[asset] != key
    }
    if others:
        one = one.with_attributes(asset_key_replacements=others)
    if len(one.keys) != 1 or asset_of_key(one.key) is None or not _returns_frame(one):
        return one
    return _with_layer(_with_snapshots(one))


def _returns_frame(one: dg.AssetsDefinition) -> bool:
    """Whether an asset is a function that returns a frame, and no other storage is named for it."""
    op = one.node_def
    function = private.function_of(op)
    if not isinstance(op, dg.OpDefinition) or function is None:
        return False
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return False  # it yields Dagster's events
    output = op.output_def_named(one.get_output_name_for_asset_key(one.key))
    kind = output.dagster_type.typing_type
    framed = kind is Any or (isinstance(kind, type) and issubclass(kind, FRAMES))
    return framed and output.io_manager_key == DEFAULT_KEY


def _with_snapshots(one: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """The asset, with its frames stored and loaded as snapshots."""
    op, name = one.op, one.get_output_name_for_asset_key(one.key)
    ours = {given for given, key in one.keys_by_input_name.items() if asset_of_key(key)}
    ins = {
        given: _loaded_as_snapshot(found)
        if given in ours and not found.input_manager_key and _has_value(op, given)
        else found
        for given, found in op.ins.items()
    }
    outs = {
        given: found._replace(io_manager_key=KEY) if given == name else found
        for given, found in op.outs.items()
    }
    node = dg.OpDefinition(
        compute_fn=op.compute_fn,
        name=op.name,
        ins=ins,
        outs=outs,
        description=op.description,
        config_schema=op.config_schema,
        required_resource_keys=op.required_resource_keys,
        tags=op.tags,
        retry_policy=op.retry_policy,
        pool=op.pool,
    )
    return private.with_node(one, node)


def _loaded_as_snapshot(found: dg.In) -> dg.In:
    return dg.In(
        dagster_type=found.dagster_type,
        description=found.description,
        default_value=found.default_value,
        metadata=found.metadata,
        asset_key=found.asset_key,
        asset_partitions=found.asset_partitions,
        input_manager_key=KEY,
    )


def _has_value(op: dg.OpDefinition, name: str) -> bool:
    return not op.input_def_named(name).dagster_type.is_nothing


def _with_layer(one: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """The asset in the group of its layer, started as those of its layer are."""
    code = getattr(private.function_of(one.op), "__code__", None)

    def spec(given: dg.AssetSpec) -> dg.AssetSpec:
        asset = asset_of_key(given.key)
        if asset is None:
            return given
        if code is not None:
            given = with_link(given, code.co_filename, code.co_firstlineno)
        own = given.group_name not in {None, DEFAULT_GROUP}
        condition = None if asset.layer == LAYERS[0] else ON_UPSTREAM_SUCCESS
        return given.replace_attributes(
            group_name=given.group_name if own else asset.layer,
            kinds={*given.kinds, asset.layer, "polars"},
            automation_condition=given.automation_condition or condition,
        )

    return one.map_asset_specs(spec)
