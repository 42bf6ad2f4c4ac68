"""Another try for a source, and a word about it."""

import dagster as dg

from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId


def try_again(
    context: dg.AssetExecutionContext, asset: AssetId, error: Exception, why: str
) -> None:
    """Raise RetryRequested, and log why and when, if the retry policy has a try left."""
    policy, tried = context.op_def.retry_policy, context.retry_number
    if policy is None or tried >= policy.max_retries:
        return
    seconds = policy.calculate_delay(tried + 1)
    details = {"asset": str(asset), "reason": why.partition("\n")[0], "seconds": seconds}
    log.info("trying again", extra={"details": details})
    raise dg.RetryRequested(policy.max_retries, seconds) from error
