"""Alerts: a listener that sends what goes wrong to the channels of ALERT_URLS.

They are separated by spaces or commas, in the form of Apprise: mailto://, slack://, msteams://,
json:// for a webhook, and a hundred more. Without any nobody is told.
"""

import logging
from collections.abc import Sequence

from polster_runtime.config.root import key_prefix
from polster_runtime.config.settings import settings
from polster_runtime.domain.asset_id import AssetId
from polster_runtime.execution.events import Run, RunListener

log = logging.getLogger("core.alerts")


class Alerts(RunListener):
    """Tells of failed runs, failed checks and overdue data, unless a terminal has shown it."""

    def run_failed(self, run: Run, reasons: Sequence[str]) -> None:
        """Send why, and the link to the run."""
        _tell_of(run, "run failed", reasons)

    def checks_failed(self, run: Run, found: Sequence[str]) -> None:
        """Send what was found, and the link to the run."""
        _tell_of(run, "check failed", found)

    def overdue(self, asset: AssetId, hours: float, allowed: float) -> None:
        """Send how old the data is."""
        old = f"{asset}: last materialized {hours:.1f} h ago, {allowed:g} h are allowed"
        tell("data is overdue", old)


def listener() -> RunListener:
    """The alerts."""
    return Alerts()


def tell(title: str, body: str) -> None:
    """Send a message to every channel; one that is down is logged."""
    urls = settings().alert_urls.replace(",", " ").split()
    if not urls:
        return
    place = " ".join(filter(None, (settings().env, key_prefix())))
    import apprise  # here: it is slow to import, and only needed when something went wrong

    logging.getLogger("apprise").disabled = True  # it would log what stands in the address
    for number, url in enumerate(urls, start=1):
        # The address may hold a secret: a channel is named by its place alone.
        try:
            one = apprise.Apprise()
            sent = one.add(url) and one.notify(
                title=f"[{place}] {title}",
                body=body,
                notify_type=apprise.NotifyType.FAILURE,
            )
        except Exception as error:
            log.warning("alert channel %d: %s", number, type(error).__name__)
            continue
        if not sent:
            log.warning("alert channel %d of ALERT_URLS could not be reached", number)


def _tell_of(run: Run, title: str, lines: Sequence[str]) -> None:
    if not run.in_terminal:
        tell(title, "\n".join([*lines, run.url]))
