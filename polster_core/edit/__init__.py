"""Edits of the Python files of a project: pure functions from bytes to bytes.

They raise CannotEditError, with a line, where an edit would not be safe. What is imported from here
is loaded when it is first used, since libcst is slow to load.

Imports and lists are read with `ast` and, where they are edited, by libcst: reading thousands of
registrations with libcst alone would take longer than all the rest of `polster add-asset`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polster_core.edit.mentions import rename_mentions
    from polster_core.edit.parameter import parameters, rename_parameter
    from polster_core.edit.references import Edited, Left, rename_references
    from polster_core.edit.registry import register, reregister, unregister
    from polster_core.edit.splice import CannotEditError

_HOMES = {
    "CannotEditError": "splice",
    "Edited": "references",
    "Left": "references",
    "parameters": "parameter",
    "register": "registry",
    "rename_mentions": "mentions",
    "rename_parameter": "parameter",
    "rename_references": "references",
    "reregister": "registry",
    "unregister": "registry",
}

__all__ = [
    "CannotEditError",
    "Edited",
    "Left",
    "parameters",
    "register",
    "rename_mentions",
    "rename_parameter",
    "rename_references",
    "reregister",
    "unregister",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
