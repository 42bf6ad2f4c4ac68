"""Data on a WebDAV server."""

import os
from collections.abc import Callable, Iterator

from webdav4.fsspec import WebdavFileSystem

from polster_runtime.storage.store import Store


def connect() -> Store:
    """Return the folder of this project on the server."""
    user, password = os.environ.get("DAV_USER", "polster"), os.environ.get("DAV_PASSWORD", "")
    signed_in = (user, password) if password else None
    return Store(WebdavFileSystem(os.environ["DAV_URL"], auth=signed_in), "shop/data")


def diagnose() -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield what doctor asks before it tries the store."""
    yield "settings", lambda: f"server {os.environ['DAV_URL']}"
