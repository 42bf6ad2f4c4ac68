"""Read databases, web services and file servers."""

from __future__ import annotations

from collections.abc import Iterable

from polster_connectors import api, mysql, sftp
from polster_core.hookspecs import hookimpl
from polster_core.types import AssetTemplate, NewFile, ProjectContext

_TEMPLATES = (mysql.template, api.template, sftp.template)


@hookimpl
def polster_asset_templates() -> Iterable[AssetTemplate]:
    """Offer a bronze asset for each kind of source."""
    return [template() for template in _TEMPLATES]


@hookimpl
def polster_project_files(context: ProjectContext) -> Iterable[NewFile]:
    """Write the guides, and what those who wire by hand may copy."""
    from polster_connectors import docs

    del context
    return docs.files()
