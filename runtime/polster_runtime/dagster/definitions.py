"""What Dagster loads: the assets, what starts them, and what runs them."""

from collections.abc import Iterable, Sequence
from types import ModuleType

import dagster as dg

from polster_runtime.assets.binding import core_file
from polster_runtime.config.polars_engine import polars_engine
from polster_runtime.config.root import key_prefix
from polster_runtime.config.settings import settings
from polster_runtime.dagster.alerts import alert_sensors
from polster_runtime.dagster.asset_keys import asset_of_key
from polster_runtime.dagster.automation import bronze_schedule, condition_of, sensors
from polster_runtime.dagster.executors import executor
from polster_runtime.dagster.freshness import freshness_policies
from polster_runtime.dagster.functions import as_members
from polster_runtime.dagster.idle import wait_longer
from polster_runtime.dagster.io_manager import KEY, snapshots
from polster_runtime.dagster.layer_rules import enforce_layers
from polster_runtime.dagster.links import LINK, code_link
from polster_runtime.dagster.local_run import JOB
from polster_runtime.dagster.partition_schedules import partition_schedules
from polster_runtime.domain.layers import LAYERS


def build_definitions(modules: Iterable[ModuleType]) -> dg.Definitions:
    """The assets of some modules, with the schedule, the sensors and the executor.

    The packages of the layers hold assets of the layers alone; other modules may hold any. Raises
    DagsterInvalidDefinitionError with a sentence for each broken layer rule, and SettingsError.
    """
    polars_engine()  # is refused before anything runs
    wait_longer(importing=False)  # a code server, which Dagster starts, does nothing of ours before
    modules = list(modules)
    found = dg.load_assets_from_modules(modules, key_prefix=key_prefix() or None)
    packages = [one for one in modules if one.__name__.rpartition(".")[2] in LAYERS]
    assets = [asset for asset in found if isinstance(asset, dg.AssetsDefinition)]
    ours, others = as_members(assets, packages)
    enforce_layers(ours)
    specs = [spec for one in ours for spec in one.specs]
    whole = [spec.key for spec in specs if spec.partitions_def is None]
    bronze = [one for one in specs if (asset := asset_of_key(one.key)) and asset.layer == LAYERS[0]]
    ours = [*_completed(ours)]
    return dg.Definitions(
        assets=[
            *ours,
            *others,
            *(one for one in found if not isinstance(one, dg.AssetsDefinition)),
        ],
        resources={KEY: snapshots},
        # Not of what others merge with it: a job with assets of several partitions cannot be.
        # Nor of assets with partitions: they run in Dagster's own job, as the UI starts them.
        jobs=[dg.define_asset_job(JOB, dg.AssetSelection.assets(*whole))],
        schedules=[
            bronze_schedule([one.key for one in bronze if one.partitions_def is None]),
            *partition_schedules(bronze),
        ],
        sensors=[*sensors(specs), *alert_sensors()],
        executor=executor(),
    )


def _completed(assets: Sequence[dg.AssetsDefinition]) -> Iterable[dg.AssetsDefinition]:
    """The assets, with what the UI shows of each and without what Dagster need not evaluate."""
    policies = freshness_policies()

    def complete(spec: dg.AssetSpec) -> dg.AssetSpec:
        asset = asset_of_key(spec.key)
        if asset is None:
            return spec
        link = {} if LINK in spec.metadata else code_link(str(core_file(asset)))
        return spec.replace_attributes(
            metadata={**spec.metadata, **link},
            freshness_policy=spec.freshness_policy or policies[asset.layer],
            automation_condition=condition_of(spec),
        )

    return map(_filled_in_one_run, dg.map_asset_specs(complete, assets))


def _filled_in_one_run(one: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """An asset whose partitions one run computes, unless the team or a setting says otherwise."""
    if one.partitions_def is None or one.backfill_policy is not None:
        return one
    most = settings().partitions_per_run
    policy = dg.BackfillPolicy.multi_run(most) if most else dg.BackfillPolicy.single_run()
    return one.with_attributes(backfill_policy=policy)
