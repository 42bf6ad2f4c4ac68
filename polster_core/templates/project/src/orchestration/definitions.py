"""What Dagster loads: the assets of this project, their schedule, sensors and executor."""

import dagster as dg

from orchestration.assets import bronze, gold, silver
from polster_runtime.dagster.definitions import build_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """All assets; add resources, jobs or other assets with `dg.Definitions.merge`."""
    return build_definitions([bronze, silver, gold])
