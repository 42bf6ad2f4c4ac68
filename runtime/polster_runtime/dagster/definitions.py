"""What Dagster loads: the assets, what starts them, and what runs them."""

from collections.abc import Iterable
from types import ModuleType

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.dagster import private
from polster_runtime.dagster.alerts import alert_sensors
from polster_runtime.dagster.automation import bronze_schedule, sensors, without_marker
from polster_runtime.dagster.executor import threads_executor
from polster_runtime.dagster.freshness import with_freshness
from polster_runtime.dagster.layer_rules import enforce_layers
from polster_runtime.dagster.links import with_code_link
from polster_runtime.dagster.local_run import JOB


def executor() -> dg.ExecutorDefinition:
    """What runs the steps of a run, as EXECUTOR says."""
    if settings().executor == "multiprocess":
        return dg.multiprocess_executor
    return threads_executor if private.has_threads() else dg.in_process_executor


def build_definitions(modules: Iterable[ModuleType]) -> dg.Definitions:
    """The assets of some modules, with the schedule, the sensors and the executor.

    Raises DagsterInvalidDefinitionError with a sentence for each broken layer rule, and
    SettingsError.
    """
    found = dg.load_assets_from_modules(modules)
    assets = [asset for asset in found if isinstance(asset, dg.AssetsDefinition)]
    enforce_layers(assets)
    specs = [spec for asset in assets for spec in asset.specs]
    return dg.Definitions(
        assets=dg.map_asset_specs(_complete, assets),
        jobs=[dg.define_asset_job(JOB)],
        schedules=[bronze_schedule()],
        sensors=[*sensors(specs), *alert_sensors()],
        executor=executor(),
    )


def _complete(spec: dg.AssetSpec) -> dg.AssetSpec:
    return without_marker(with_freshness(with_code_link(spec)))
