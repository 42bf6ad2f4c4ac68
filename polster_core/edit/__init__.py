"""Edits of the Python files of a project: pure functions from bytes to bytes.

They import libcst, which is slow to load: import this package where something is edited.
"""

from polster_core.edit.mentions import rename_mentions
from polster_core.edit.parameter import parameters, rename_parameter
from polster_core.edit.references import Edited, Left, rename_references
from polster_core.edit.registry import register, reregister, unregister
from polster_core.edit.source import CannotEditError

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
