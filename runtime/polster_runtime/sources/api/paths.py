"""Paths into JSON documents."""

from typing import Any


def api_at(value: Any, path: str) -> Any:
    """What is at a path, "meta.next", of a document; None where there is no such thing."""
    while isinstance(value, dict) and path:
        if path in value:
            return value[path]
        name, _, path = path.partition(".")
        value = value.get(name)
    return None if path else value
