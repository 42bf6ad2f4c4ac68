"""How old data may be, in the Dagster UI."""

from collections.abc import Mapping
from datetime import timedelta

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.domain.layers import LAYERS


def freshness_policies() -> Mapping[str, dg.FreshnessPolicy]:
    """For each layer the age that MAX_AGE_HOURS allows."""
    hours = {layer: settings().max_age_hours_of(layer) for layer in LAYERS}
    return {
        layer: dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=allowed))
        for layer, allowed in hours.items()
    }
