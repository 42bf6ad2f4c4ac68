"""Another try for a source, and a word about it."""

import dagster as dg

from polster_runtime.config.interruption import stop_if_interrupted
from polster_runtime.config.logging import log
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.events import tell


def try_again(
    context: dg.AssetExecutionContext, asset: AssetId, error: Exception, why: str
) -> None:
    """Raise RetryRequested, and tell why and when, if the retry policy has a try left.

    Raises Interrupted when nothing is to be tried any more.
    """
    stop_if_interrupted()
    policy, tried = context.op_def.retry_policy, context.retry_number
    if policy is None or tried >= policy.max_retries:
        return
    seconds, reason = policy.calculate_delay(tried + 1), why.partition("\n")[0]
    details = {"asset": str(asset), "reason": reason, "seconds": seconds}
    log.info("trying again", extra={"details": details})
    tell(lambda listener: listener.retrying(asset, reason, seconds))
    raise dg.RetryRequested(policy.max_retries, seconds) from error
