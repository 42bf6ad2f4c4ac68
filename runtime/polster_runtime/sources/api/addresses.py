"""Addresses of an API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def api_place(url: str) -> str:
    """An address for a message: no user, no password, no query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def api_url(url: str, query: Mapping[str, Any]) -> str:
    """An address with parameters in place of those of the same name."""
    if not query:
        return url
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in query]
    pairs = urlencode([*kept, *query.items()], doseq=True)
    return urlunsplit((*parts[:3], pairs, ""))
