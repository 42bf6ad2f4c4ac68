"""The guides that every project has under `docs/connectors/`."""

from __future__ import annotations

from collections.abc import Iterator

from polster_connectors.shared import guide
from polster_core.types import NewFile

_GUIDES = (
    "mysql-guide.md",
    "api-guide.md",
    "sftp-guide.md",
    "integration.md",
    "connectors.py.template",
)


def files() -> Iterator[NewFile]:
    """Yield a guide for each connector, how to use them by hand, and what to copy for that."""
    yield from map(guide, _GUIDES)
