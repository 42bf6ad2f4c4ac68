"""The guides that every project has under `docs/connectors/`."""

from __future__ import annotations

from collections.abc import Iterator

from polster_connectors.joined import connectors
from polster_connectors.shared import DOCS, PACKAGE
from polster_core.types import NewFile

_GUIDES = ("mysql-guide.md", "api-guide.md", "sftp-guide.md", "integration.md")


def files() -> Iterator[NewFile]:
    """Yield a guide for each connector, how to use them by hand, and what to copy for that."""
    from polster_core.rendering import render

    for name in _GUIDES:
        yield NewFile(path=DOCS / name, text=render(PACKAGE, f"templates/docs/{name}.jinja", {}))
    yield NewFile(path=DOCS / "connectors.py.template", text=connectors())
