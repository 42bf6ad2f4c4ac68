"""How old data may be, in the Dagster UI."""

from collections.abc import Mapping
from datetime import timedelta

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.dagster.asset_keys import asset_of_key
from polster_runtime.domain.layers import LAYERS


def freshness_policies() -> Mapping[str, dg.FreshnessPolicy]:
    """For each layer the age that MAX_AGE_HOURS allows."""
    hours = {layer: settings().max_age_hours_of(layer) for layer in LAYERS}
    return {
        layer: dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=allowed))
        for layer, allowed in hours.items()
    }


def with_freshness(spec: dg.AssetSpec) -> dg.AssetSpec:
    """An asset with the policy of its layer, unless it has its own; for definitions of a team."""
    asset = asset_of_key(spec.key)
    if asset is None or spec.freshness_policy is not None:
        return spec
    return spec.replace_attributes(freshness_policy=freshness_policies()[asset.layer])
