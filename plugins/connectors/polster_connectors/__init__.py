"""Read databases, web services and file servers."""

from __future__ import annotations

from collections.abc import Iterable

from polster_connectors import api, mysql, sftp
from polster_core.hookspecs import hookimpl
from polster_core.types import AssetTemplate

_TEMPLATES = (mysql.template, api.template, sftp.template)


@hookimpl
def polster_asset_templates() -> Iterable[AssetTemplate]:
    """Offer a bronze asset for each kind of source."""
    return [template() for template in _TEMPLATES]
