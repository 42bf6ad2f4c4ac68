"""The layer rules, enforced when Dagster loads."""

import sys
from collections.abc import Iterable, Iterator

import dagster as dg

from polster_runtime.assets.binding import Function, asset_of, bind
from polster_runtime.assets.contract import contract_of, max_rejected, try_out
from polster_runtime.assets.increments import UPSERT, plan_of
from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.domain.layers import FUNCTIONS, MAY_DEPEND_ON, NO_PARTS
from polster_runtime.errors import AssetError, SettingsError


def enforce_layers(assets: Iterable[dg.AssetsDefinition]) -> None:
    """Raise DagsterInvalidDefinitionError with a sentence for each broken rule.

    Bronze depends on nothing, silver on bronze, gold on silver; every dependency exists, every
    function takes one parameter for each, and contracts are contracts.
    """
    specs = [spec for definition in assets for spec in definition.specs]
    keys = {spec.key for spec in specs}
    problems = [problem for spec in specs for problem in _problems(spec, keys)]
    if problems:
        raise dg.DagsterInvalidDefinitionError("\n".join(problems))


def _problems(spec: dg.AssetSpec, keys: set[dg.AssetKey]) -> Iterator[str]:
    asset = AssetId.parse(spec.key.to_user_string())
    if asset.layer not in MAY_DEPEND_ON or not asset.name:
        yield f"{spec.key.to_user_string()} must be called run_LAYER_NAME"
        return
    if spec.partitions_def is not None:
        # Its snapshots would each hold one partition, and readers would get the last one alone.
        yield f"{asset} has a partitions_def, but {NO_PARTS}"
    upstream = upstream_of(spec)
    wrong = [*_wrong_dependencies(asset, upstream, keys)]
    function = _loaded(asset)
    if function is not None:
        wrong = wrong or [*_wrong_parameters(function, upstream)]
        wrong += _wrong_contract(asset, function)
    yield from wrong


def upstream_of(spec: dg.AssetSpec) -> list[AssetId]:
    """The assets that an asset depends on."""
    return [AssetId.parse(dependency.asset_key.to_user_string()) for dependency in spec.deps]


def _wrong_dependencies(
    asset: AssetId, upstream: list[AssetId], keys: set[dg.AssetKey]
) -> Iterator[str]:
    allowed = MAY_DEPEND_ON[asset.layer]
    if allowed and not upstream:
        yield f"{asset} depends on nothing, but {asset.layer} assets need at least one {allowed}"
    for dependency in upstream:
        if dependency.layer != allowed:
            rule = f"on {allowed} assets only" if allowed else "on nothing"
            yield f"{asset} depends on {dependency}, but {asset.layer} assets may depend {rule}"
        elif dg.AssetKey(dependency.key) not in keys:
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
    return getattr(sys.modules.get(f"core.{asset}"), FUNCTIONS[asset.layer], None)


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
    if asset.layer == "silver" and contract is None and settings().require_contracts:
        yield f"{asset} has no contract, and REQUIRE_CONTRACTS=true asks for one"
