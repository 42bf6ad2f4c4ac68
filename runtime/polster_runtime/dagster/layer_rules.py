"""The layer rules, enforced when Dagster loads."""

import sys
from collections.abc import Container, Iterable, Iterator

import dagster as dg

from polster_runtime.assets.binding import Function, asset_of, bind, core_file
from polster_runtime.assets.contract import contract_of, max_rejected, try_out
from polster_runtime.assets.increments import UPSERT, plan_of
from polster_runtime.assets.keys import other_asset_of
from polster_runtime.config.paths import module
from polster_runtime.config.settings import settings
from polster_runtime.dagster.asset_keys import asset_of_key, name_of_key
from polster_runtime.dagster.partition_rules import Partitions, wrong_partitions
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import FUNCTIONS, LAYERS, MAY_DEPEND_ON
from polster_runtime.errors import AssetError, SettingsError


def enforce_layers(assets: Iterable[dg.AssetsDefinition]) -> None:
    """Raise DagsterInvalidDefinitionError with a sentence for each broken rule.

    Bronze depends on nothing, silver on bronze, gold on silver; every dependency exists, every
    function takes one parameter for each, and contracts are contracts.
    """
    specs = [spec for definition in assets for spec in definition.specs]
    keys: dict[AssetId, list[str]] = {}
    partitions: dict[AssetId, dg.PartitionsDefinition[str] | None] = {}
    for spec in specs:
        if asset := asset_of_key(spec.key):
            keys.setdefault(asset, []).append(spec.key.to_user_string())
            partitions[asset] = spec.partitions_def
    problems = [problem for spec in specs for problem in _problems(spec, keys, partitions)]
    problems += [
        f"{' and '.join(several)} are the same asset: give one of them another name"
        for several in keys.values()
        if len(several) > 1
    ]
    if problems:
        raise dg.DagsterInvalidDefinitionError("\n".join(problems))


def _problems(
    spec: dg.AssetSpec, keys: Container[AssetId], partitions: Partitions
) -> Iterator[str]:
    asset = asset_of_key(spec.key)
    if asset is None:
        yield (
            f"{spec.key.to_user_string()} must be called run_LAYER_NAME; "
            "assets of no layer belong in a module of their own: build_definitions([…, MODULE])"
        )
        return
    wrong = [*_wrong_dependencies(asset, spec, keys)]
    upstream = [found for one in spec.deps if (found := asset_of_key(one.asset_key))]
    function = _loaded(asset)
    if function is not None or not core_file(asset).exists():
        wrong += wrong_partitions(asset, function, upstream, partitions)
    if function is not None:
        wrong = wrong or [*_wrong_parameters(function, upstream)]
        wrong += _wrong_contract(asset, function)
    elif not core_file(asset).exists():
        wrong += _missing_contract(asset)
    yield from wrong


def _wrong_dependencies(
    asset: AssetId, spec: dg.AssetSpec, keys: Container[AssetId]
) -> Iterator[str]:
    allowed = MAY_DEPEND_ON[asset.layer]
    if allowed and not spec.deps:
        yield f"{asset} depends on nothing, but {asset.layer} assets need at least one {allowed}"
    for key in (dependency.asset_key for dependency in spec.deps):
        dependency, other = asset_of_key(key), other_asset_of(key.to_user_string())
        if asset.layer == LAYERS[0] and other and other.layer == LAYERS[-1]:
            continue  # what another project publishes is a source
        if dependency is None or dependency.layer != allowed:
            rule = f"on {allowed} assets only" if allowed else "on nothing"
            name = name_of_key(key)
            yield f"{asset} depends on {name}, but {asset.layer} assets may depend {rule}"
        elif dependency not in keys:
            yield f"{asset} depends on {dependency}, which no asset defines"


def _wrong_parameters(function: Function, upstream: list[AssetId]) -> Iterator[str]:
    try:
        bound, plan = bind(function, upstream), plan_of(function)
    except AssetError as error:
        yield str(error)
        return
    above = bound.get(plan.new or plan.touched or "")
    other = _loaded(above) if above else None
    if above is None or other is None:
        return
    contract = contract_of(other)
    if plan.new and plan_of(other).kind == UPSERT:
        yield (
            f"{asset_of(function)}: {plan.new} is New, but {above} returns Upsert, which replaces "
            "and removes rows; take Annotated[pl.LazyFrame, Touched(...)]"
        )
    elif plan.touched and contract and not set(plan.key) <= set(contract.column_names()):
        yield f"{asset_of(function)}: Touched names columns that {above} does not have"


def _loaded(asset: AssetId) -> Function | None:
    """The function of an asset, if its core file was imported."""
    return getattr(sys.modules.get(module(f"core.{asset}")), FUNCTIONS[asset.layer], None)


def _wrong_contract(asset: AssetId, function: Function) -> Iterator[str]:
    try:
        contract = contract_of(function)
        max_rejected(function)
    except (AssetError, SettingsError) as error:
        yield str(error)
        return
    try:
        if contract is not None:
            try_out(contract)
    except AssetError as error:
        yield f"{asset}: {error}"
    if contract is None:
        yield from _missing_contract(asset)


def _missing_contract(asset: AssetId) -> Iterator[str]:
    if asset.layer == "silver" and settings().require_contracts:
        yield f"{asset} has no contract, and REQUIRE_CONTRACTS=true asks for one"
