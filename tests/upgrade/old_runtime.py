"""What projects of 0.1.0 were told to import, and import in what was generated for them."""

from __future__ import annotations

from collections.abc import Iterator


def imported_by_0_1_0() -> Iterator[tuple[str, str]]:
    """Yield modules and names, as the README, the guides and the generated assets had them."""
    for module, names in _IMPORTS.items():
        yield from ((module, name) for name in names.split())


_IMPORTS = {
    "core.runtime": "run",
    "core.runtime.logs": "operation",
    "core.runtime.source": "Frames Position SourceError",
    "core.sources": "SourceError",
    "core.sources.api": "Api fetch_api_data",
    "core.sources.mysql": "MySQL fetch_mysql_data",
    "core.sources.sftp": "SFTP download_sftp_files",
    "core.sources.sftp_files": "SftpFormat load_sftp_data",
    "orchestration.runtime.alerts": "alert_sensors tell",
    "orchestration.runtime.automation": (
        "ON_UPSTREAM_SUCCESS bronze_schedule medallion_sensor source_retry"
    ),
    "orchestration.runtime.freshness": "with_freshness",
    "orchestration.runtime.links": "with_code_link",
    "orchestration.runtime.materialize": "Results contract_check drift_check materialize",
    "orchestration.runtime.rules": "enforce_layers",
}
