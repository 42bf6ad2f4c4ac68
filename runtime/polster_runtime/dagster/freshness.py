"""How old data may be, in the Dagster UI."""

from datetime import timedelta

import dagster as dg

from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId


def with_freshness(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset, with the age that MAX_AGE_HOURS allows its layer, unless it has its own."""
    if spec.freshness_policy is not None:
        return spec
    hours = settings().max_age_hours_of(AssetId.parse(spec.key.to_user_string()).layer)
    policy = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours))
    return spec.replace_attributes(freshness_policy=policy)
