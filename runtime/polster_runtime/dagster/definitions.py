"""What Dagster loads: the assets, what starts them, and what runs them."""

from collections.abc import Iterable
from types import ModuleType

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.dagster.alerts import alert_sensors
from polster_runtime.dagster.automation import bronze_schedule, medallion_sensor
from polster_runtime.dagster.freshness import with_freshness
from polster_runtime.dagster.layer_rules import enforce_layers
from polster_runtime.dagster.links import with_code_link

EXECUTORS = {"in_process": dg.in_process_executor, "multiprocess": dg.multiprocess_executor}


def build_definitions(modules: Iterable[ModuleType]) -> dg.Definitions:
    """The assets of some modules, with the schedule, the sensors and the executor.

    Raises DagsterInvalidDefinitionError with a sentence for each broken layer rule, and
    SettingsError.
    """
    found = dg.load_assets_from_modules(modules)
    assets = [asset for asset in found if isinstance(asset, dg.AssetsDefinition)]
    enforce_layers(assets)
    return dg.Definitions(
        assets=dg.map_asset_specs(lambda spec: with_freshness(with_code_link(spec)), assets),
        jobs=[dg.define_asset_job("all_assets")],
        schedules=[bronze_schedule()],
        sensors=[medallion_sensor(), *alert_sensors()],
        executor=EXECUTORS[settings().executor],
    )
