"""The plugins that are installed on this machine, and those that a project brings itself."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from polster_core.plugins.discovery import COMMAND_PREFIX, GROUP, Point, quickly
from polster_core.plugins.local import LocalPlugin
from polster_core.plugins.manager import Plugins

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@cache
def installed(
    disabled: frozenset[str] = frozenset(), local: tuple[LocalPlugin, ...] = ()
) -> Plugins:
    """Load every installed plugin, and those of a project, once per process.

    `disabled` are the names that a project turns off; POLSTER_DISABLE_PLUGINS adds to them.
    """
    plugins = Plugins()
    off = {*disabled, *_disabled_here()}
    plugins.load(_found(), disabled=off)
    plugins.load_local(local, disabled=off)
    return plugins


def installed_commands(
    disabled: frozenset[str] = frozenset(), local: tuple[LocalPlugin, ...] = ()
) -> Plugins:
    """Load the installed plugins that add commands, those of a project, and no others."""
    plugins = Plugins()
    off = {*disabled, *_disabled_here()}
    plugins.load(_found(COMMAND_PREFIX), disabled=off)
    plugins.load_local(local, disabled=off)
    return plugins


def _found(prefix: str = "") -> Iterable[EntryPoint | Point]:
    """Return the entry points whose names begin with a prefix."""
    points = quickly(prefix)
    if points is not None:
        return points
    from importlib.metadata import entry_points

    return [one for one in entry_points(group=GROUP) if one.name.startswith(prefix)]


def _disabled_here() -> set[str]:
    return {name.strip() for name in os.environ.get("POLSTER_DISABLE_PLUGINS", "").split(",")}
